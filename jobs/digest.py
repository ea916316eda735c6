"""The week in figures, told to the team on Monday morning wherever it is told of everything else."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from procrastinate import Blueprint, JobContext

from crm import alerts, analytics, businesses, digest, nps, queue
from crm.alerts import News
from crm.analytics import Figure, Period
from crm.businesses import Profile
from crm.record import Tx
from jobs.periodic import alone, every
from jobs.services import Services, services_of
from knowledge.phrases import Say
from tools.figures import written
from tools.wording import day

log = structlog.get_logger(__name__)

_TEMPLATE = "digest.txt.jinja"


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    # Eight o'clock is on a quarter of an hour everywhere: zones differ by quarters.
    every(made, "*/15 * * * *", "digest", told, queue=queue.OUTWARD)
    return made


async def told(job: JobContext, timestamp: int) -> None:
    """Every quarter of an hour, by whichever worker comes first."""
    await digest_once(services_of(job))


async def digest_once(services: Services) -> int:
    """Tells every business's team of its week where that is due; how many teams.

    One that fails is told by the next look that does not.
    """
    async with services.crm.outside() as tx:
        watched = await alerts.watched_businesses(tx)
    teams = 0
    for business_id in watched:
        with alone(business_id, "digest"):
            async with services.crm.transaction(business_id) as tx:
                teams += await _tell(services, tx)
    return teams


async def _tell(services: Services, tx: Tx) -> bool:
    """The claim and the alerts are one transaction: all of it is written, or the next look begins anew."""
    profile = await businesses.profile(tx)
    week = digest.due(tx.now, profile.business.time_zone)
    if week is None or not await digest.claim(tx, week.last + timedelta(days=1)):
        return False
    now, before = await _figures(tx, week), await _figures(tx, week.before())
    news = written_news(
        services.context.phrases.speaker(profile.language),
        profile,
        week,
        now,
        before,
        public_url=services.outward.public_url,
    )
    log.info("digest", week=week.first.isoformat(), places=await alerts.tell(tx, news))
    return True


async def _figures(tx: Tx, week: Period) -> dict[str, Figure]:
    return {**await analytics.figures(tx, week), "nps": await nps.score(tx, week)}


def written_news(
    say: Say,
    profile: Profile,
    week: Period,
    now: Mapping[str, Figure],
    before: Mapping[str, Figure],
    *,
    public_url: str | None,
) -> News:
    """The digest of a week beside the one before; figures only, nothing of what customers said."""
    language = profile.language

    def shown(figure: Figure) -> str:
        return written(figure.value, figure.unit, language)

    link = ""
    if public_url is not None:
        query = f"from={week.first.isoformat()}&to={week.last.isoformat()}"
        link = f"{public_url.rstrip('/')}/console/{profile.business.slug}/dashboard?{query}"
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 plain text, sent as such
        trim_blocks=True,
        lstrip_blocks=True,
    )
    body = environment.get_template(_TEMPLATE).render(
        say=say,
        shown=shown,
        now=now,
        before=before,
        quiet=not any(now[name].value for name in ("messages_in", "messages_out", "bookings")),
        first=day(week.first, language),
        last=day(week.last, language),
        link=link,
    )
    return News(
        kind=digest.KIND,
        key=f"{digest.KIND}:{week.first.isoformat()}",
        title=f"{profile.business.name}: {say('Your week in figures')}",
        body=body.strip(),
        queue=profile.pack.queue,
    )
