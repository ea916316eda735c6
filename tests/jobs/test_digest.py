"""The week in figures: on Monday morning where the business is, once, in its language, and true."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from babel.messages.pofile import read_po

from crm import alerts, businesses, digest
from crm.analytics import Period
from crm.record import Crm
from jobs.digest import digest_once
from jobs.services import Services
from knowledge.phrases import LOCALES
from sara.history import Truth, write_history
from tests.jobs.shop import Shop
from tests.jobs.told import Told, telling
from tests.outside import mail_server
from tools.figures import written

LISBON = ZoneInfo("Europe/Lisbon")
TEMPLATE = Path(digest.__file__).parents[1] / "jobs" / "digest.txt.jinja"


class Clock:
    """The time, as the test sets it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Weeks:
    """Two weeks of a business in Lisbon that end before `monday`, a real one not long ago."""

    monday: date
    business_id: int
    truth: Truth


@dataclass(frozen=True)
class Morning:
    """That Monday, with a clock of its own and the team's places."""

    told: Told
    weeks: Weeks
    services: Services
    clock: Clock

    def at(self, hour: int, minute: int = 0, days: int = 0) -> None:
        day = self.weeks.monday + timedelta(days=days)
        self.clock.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=LISBON).astimezone(UTC)

    async def place(self, name: str, address: str, kinds: tuple[str, ...] = ()) -> None:
        sealed = self.told.seal.close(address.encode())
        async with self.services.crm.transaction(self.weeks.business_id) as tx:
            made = await alerts.add_target(
                tx, name, queue=None, kinds=list(kinds), service="Test", sealed=sealed
            )
        assert made is not None

    async def digests(self) -> list[dict[str, object]]:
        return await self.told.alerts(digest.KIND)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def weeks(open_shop: Shop) -> AsyncIterator[Weeks]:
    today = datetime.now(LISBON).date()
    monday = today - timedelta(days=today.weekday() + 7)
    clock = Clock(datetime(monday.year, monday.month, monday.day, 7, tzinfo=LISBON))
    crm = Crm(open_shop.crm._pool, clock)
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "costa-azul")
    yield Weeks(monday, business_id, await write_history(crm, business_id, days=15, today=monday))
    # Later tests look at a shop where nobody was ever served in Lisbon.
    await open_shop.rows("DELETE FROM contact WHERE business_id = %s", business_id)
    assert await open_shop.rows("SELECT 1 FROM message WHERE business_id = %s", business_id) == []


@pytest_asyncio.fixture(loop_scope="session")
async def morning(shop: Shop, weeks: Weeks) -> AsyncIterator[Morning]:
    clock = Clock(datetime.now(UTC))
    async with telling(shop) as told:
        services = replace(told.services, crm=Crm(shop.crm._pool, clock), clock=clock)
        made = Morning(told, weeks, services, clock)
        made.at(8, 5)
        yield made
    await shop.rows("UPDATE business SET digest_told_on = NULL, weekly_digest = true")


async def test_monday_morning_brings_the_true_figures_in_the_language_of_the_business(
    morning: Morning,
) -> None:
    week = Period(morning.weeks.monday - timedelta(days=7), morning.weeks.monday - timedelta(days=1))
    now, before = morning.weeks.truth.of(week), morning.weeks.truth.of(week.before())
    with mail_server() as box:
        await morning.place("mail", box.address())
        assert await digest_once(morning.services) == 1
        await morning.told.work()
    [mail], [text] = box.mails, box.texts()
    assert "Costa Azul Imobiliária: A sua semana em números" in str(mail["subject"])
    for title, name, unit in (
        ("Conversas iniciadas", "conversations", "count"),
        ("Resolvidas sem uma pessoa", "containment", "share"),
        ("Passadas a uma pessoa", "escalation", "share"),
        ("Tempo de resposta, mediana", "response_median", "seconds"),
        ("Perguntas sem resposta", "unanswered", "count"),
        ("Marcações feitas", "bookings", "count"),
    ):
        line = f"· {title}: {written(now[name], unit, 'pt')} ({written(before[name], unit, 'pt')})"
        assert line in text.splitlines(), text
    assert now["conversations"]
    link = f"https://sara.example/console/costa-azul/dashboard?from={week.first}&to={week.last}"
    assert link in text
    assert "· Recomendação (NPS): – (–)" in text


async def test_it_is_told_once_by_however_many_workers(morning: Morning) -> None:
    await morning.place("one", "json://127.0.0.1:9/")
    await morning.place("two", "json://127.0.0.1:9/", kinds=(digest.KIND, "ticket_due"))
    await morning.place("other", "json://127.0.0.1:9/", kinds=("ticket_due",))
    teams = await asyncio.gather(*(digest_once(morning.services) for _ in range(4)))
    assert sorted(teams) == [0, 0, 0, 1]
    morning.at(23)
    assert await digest_once(morning.services) == 0
    await morning.place("late", "json://127.0.0.1:9/")
    assert await digest_once(morning.services) == 0
    assert len(await morning.digests()) == 2
    morning.at(8, days=7)
    assert await digest_once(morning.services) == 1
    keys = {row["key"] for row in await morning.digests()}
    assert len(keys) == 2


async def test_a_crash_in_the_middle_leaves_nothing_behind(morning: Morning) -> None:
    await morning.place("mail", "json://127.0.0.1:9/")
    broken = replace(morning.services, context=replace(morning.services.context, phrases=None))  # type: ignore[arg-type]
    assert await digest_once(broken) == 0
    assert await morning.digests() == []
    assert await digest_once(morning.services) == 1
    assert len(await morning.digests()) == 1


async def test_a_business_that_fails_for_good_holds_up_nobody_else(morning: Morning) -> None:
    await morning.place("theirs", "json://127.0.0.1:9/")
    await morning.told.place("ours", "json://127.0.0.1:9/")
    assert morning.told.business_id < morning.weeks.business_id
    zone = "UPDATE business SET time_zone = %s WHERE business_id = %s"
    await morning.told.shop.rows(zone, "Europe/Nowhere", morning.told.business_id)
    try:
        assert await digest_once(morning.services) == 1
    finally:
        await morning.told.shop.rows(zone, "Europe/Rome", morning.told.business_id)
    assert [row["business_id"] for row in await morning.digests()] == [morning.weeks.business_id]


async def test_before_eight_and_from_wednesday_on_there_is_none(morning: Morning) -> None:
    await morning.place("mail", "json://127.0.0.1:9/")
    for hour, minute, days in ((7, 59, 0), (0, 0, 2), (12, 0, 3), (23, 59, 6)):
        morning.at(hour, minute, days)
        assert await digest_once(morning.services) == 0, (hour, minute, days)
    morning.at(23, 45, 1)  # an outage held it up
    assert await digest_once(morning.services) == 1


async def test_a_business_can_turn_it_off_and_on(morning: Morning) -> None:
    await morning.place("mail", "json://127.0.0.1:9/")
    crm, business_id = morning.services.crm, morning.weeks.business_id
    async with crm.transaction(business_id) as tx:
        await digest.put(tx, wanted=False)
    assert await digest_once(morning.services) == 0
    async with crm.transaction(business_id) as tx:
        assert await digest.state(tx) == digest.DigestRow(wanted=False, told_on=None)
        await digest.put(tx, wanted=True)
    assert await digest_once(morning.services) == 1


async def test_a_week_without_anybody_is_said_so(morning: Morning) -> None:
    await morning.place("mail", "json://127.0.0.1:9/")
    morning.at(9, days=-70)
    assert await digest_once(morning.services) == 1
    [row] = await morning.digests()
    assert "Nesta semana ninguém escreveu." in str(row["body"])
    assert "·" not in str(row["body"])


@pytest.mark.parametrize(
    ("moment", "zone", "first"),
    [
        ("2026-11-23T07:00:00+00:00", "Europe/Rome", "2026-11-16"),
        ("2026-11-23T06:59:59+00:00", "Europe/Rome", None),
        ("2026-10-26T07:00:00+00:00", "Europe/Rome", "2026-10-19"),  # the clock went back the day before
        ("2026-10-19T06:00:00+00:00", "Europe/Rome", "2026-10-12"),
        ("2026-10-26T06:00:00+00:00", "Europe/Rome", None),
        ("2026-11-22T18:59:00+00:00", "Pacific/Auckland", None),
        ("2026-11-22T19:00:00+00:00", "Pacific/Auckland", "2026-11-16"),
        ("2026-11-23T02:15:00+00:00", "Asia/Kathmandu", "2026-11-16"),  # 8:00
        ("2026-11-24T23:59:00+00:00", "UTC", "2026-11-16"),
        ("2026-11-25T00:00:00+00:00", "UTC", None),
    ],
)
def test_when_it_is_due(moment: str, zone: str, first: str | None) -> None:
    week = digest.due(datetime.fromisoformat(moment), zone)
    assert (week and week.first.isoformat()) == first
    assert week is None or (week.first.weekday(), week.days) == (0, 7)


@pytest.mark.parametrize("language", ["en", "it", "es", "pt"])
def test_every_sentence_of_the_template_is_in_the_catalogue(language: str) -> None:
    said = set(re.findall(r'\bsay\("(.+?)"', TEMPLATE.read_text("utf-8")))
    with (LOCALES / f"{language}.po").open("rb") as file:
        known = {str(m.id): str(m.string) for m in read_po(file, locale=language)}
    assert len(said) > 15
    assert [one for one in said if not known.get(one)] == []


async def test_it_comes_round_by_the_clock(shop: Shop) -> None:
    assert ("sara:digest", "digest") in set(shop.app.periodic_registry.periodic_tasks)
