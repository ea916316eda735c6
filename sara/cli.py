"""The command line. The only place that knows exit codes: 0 success, 1 failure with one line, 2 bad usage."""

import sys

import typer
from pydantic import ValidationError

from sara import settings  # first: it sets what libraries read when they are imported
from sara.commands import (
    agenda,
    agent,
    alerts,
    backup,
    batch,
    bench,
    business,
    calendar,
    campaign,
    chat,
    contact,
    demo,
    doctor,
    evaluate,
    facts,
    follow_up,
    handoff,
    keys,
    knowledge,
    limits,
    outbox,
    quote,
    replay,
    run,
    studio,
    template,
    ticket,
    transcribe,
    webhook,
    webhooks,
    whatsapp,
)
from sara.commands.failures import KNOWN

app = typer.Typer(
    name="sara",
    help="A WhatsApp assistant small businesses trust with their customers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("serve")(run.serve)
app.command("worker")(run.worker)
app.command("migrate")(run.migrate)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("doctor")(doctor.doctor)
app.command("chat")(chat.chat)
app.command("play")(chat.play)
app.command("ingest")(knowledge.ingest)
app.command("reindex")(knowledge.reindex)
app.command("search")(knowledge.search)
app.command("score")(batch.score)
app.command("classify")(batch.classify)
app.command("ground")(batch.ground)
app.command("when")(batch.when)
app.command("transcribe")(transcribe.transcribe)
app.command("eval")(evaluate.evaluate)
app.command("replay")(replay.replay)
app.command("bench")(bench.bench)
app.command("studio")(studio.studio)
app.add_typer(handoff.app, name="handoff")
app.add_typer(business.app, name="business")
app.add_typer(contact.app, name="contact")
app.add_typer(agenda.app, name="agenda")
app.add_typer(agenda.closing, name="appointment")
app.add_typer(follow_up.app, name="follow-up")
app.add_typer(calendar.app, name="calendar")
app.add_typer(agent.app, name="agent")
app.add_typer(keys.app, name="keys")
app.add_typer(facts.app, name="facts")
app.add_typer(quote.app, name="quote")
app.add_typer(ticket.app, name="ticket")
app.add_typer(alerts.app, name="alerts")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(template.app, name="template")
app.add_typer(campaign.app, name="campaign")
app.add_typer(limits.app, name="limits")
app.add_typer(webhook.app, name="webhook")
app.add_typer(outbox.app, name="outbox")
app.add_typer(whatsapp.app, name="whatsapp")


def main() -> None:
    """The `sara` command."""
    try:
        app()
    except KNOWN as error:
        words = str(error) or (type(error).__doc__ or type(error).__name__).split("\n")[0]
        print(f"sara: {' '.join(words.split())}", file=sys.stderr)
        sys.exit(1)
    except ValidationError as error:
        prefix = settings.PREFIXES.get(error.title)
        if prefix is None:
            raise
        problem = error.errors(include_url=False)[0]
        print(f"sara: {prefix}{str(problem['loc'][0]).upper()}: {problem['msg']}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
