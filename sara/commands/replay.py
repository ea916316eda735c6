"""Past turns run again under other settings, before a change reaches a customer."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from sara import replay as replays
from sara.commands.loop import run
from sara.replay import Replayed
from sara.settings import Settings, load

_LAST = 50
_SHOWN = 300


def replay(
    thread: Annotated[str | None, typer.Argument(help="a thread, written business:conversation")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="the last N turns")] = None,
    handoffs: Annotated[
        bool, typer.Option("--handoffs", help=f"turns that went to a human, the last N of them ({_LAST})")
    ] = False,
    business: Annotated[str | None, typer.Option(help="with --last, --handoffs: of this business")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="CHECKPOINT", help="with a thread: from this checkpoint on")
    ] = None,
    model: Annotated[str | None, typer.Option(help="another model, written like SARA_LLM")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="SARA_X=VALUE", help="another value of a setting")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON line a turn, unchanged ones too")] = False,
) -> None:
    """Runs past turns again, with every effect stubbed, and shows what would change.

    Without --model and --set the turns are held against what was said then: what a new prompt, program or
    document changes. With them, against what today's settings say to the same words.
    """
    if (thread is None) == (last is None and not handoffs):
        raise typer.BadParameter("give a thread, or --last N, --handoffs or both")
    if at is not None and thread is None:
        raise typer.BadParameter("--at goes with a thread")
    if business is not None and thread is not None:
        raise typer.BadParameter("--business goes with --last or --handoffs")
    try:
        other = replays.overrides(changes or [], model)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    now = load()
    changed = load(**other) if other else None

    async def work() -> list[Replayed]:
        async with replays.stage(now) as here:
            turns = (
                await replays.of_thread(here, thread, at=at)
                if thread is not None
                else await replays.latest(here, last or _LAST, business=business, handed_over=handoffs)
            )
            context = replays.under(here.context, changed) if changed else None
            return await replays.replay(here, turns, context, at=at)

    done = run(work(), log_level="error")
    if as_json:
        for one in done:
            print(json.dumps(one.as_json(), ensure_ascii=False))
    else:
        print("\n".join(told(done, now, other)))


def told(done: Sequence[Replayed], now: Settings, other: Mapping[str, Any]) -> list[str]:
    """The turns that change, what about them changes, and how many."""
    lines: list[str] = []
    for one in done:
        if one.changed and one.after is not None:
            lines += [f"\n── {one.turn.at:%Y-%m-%d %H:%M} {one.turn.thread_id}  {_short(one.turn.text)}"]
            lines += [
                f"   {name}: {_short(getattr(one.before, name))} → {_short(getattr(one.after, name))}"
                for name in one.changed
            ]
        elif one.problem:
            lines += [f"\n── {one.turn.thread_id}  {_short(one.turn.text)}", f"   not run: {one.problem}"]
    counted = Counter(name for one in done for name in one.changed)
    what = ", ".join(f"{name} {counted[name]}" for name in counted)
    changed = sum(bool(one.changed) for one in done)
    lines += ["", f"{changed} of {len(done)} turns would change" + (f": {what}" if what else "")]
    if other:
        given = ", ".join(f"SARA_{key.upper()} {getattr(now, key)} → {value}" for key, value in other.items())
        lines += [f"under {given}"]
        moved = sum(bool(one.moved_on) for one in done)
        if moved:
            lines += [f"{moved} say something else today than then, whatever the setting"]
    return lines


def _short(value: object) -> str:
    text = " ".join(str(value if value is not None else "—").split())
    return text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")
