"""Live facts: right figures of the record in the customer's language, and silence where it has none."""

from datetime import UTC, datetime

import pytest

from knowledge.phrases import Phrases
from tests.tools.talk import Room
from tools.facts import Fact, live_facts

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


async def facts(room: Room, text: str, language: str = "it", slug: str = "aurora") -> list[Fact]:
    say = Phrases.load().speaker(language)
    return live_facts(await room.profile(slug), text, language, NOW, say)


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("it", "Quanto costa un massaggio rilassante?", "Massaggio rilassante: 65,00 €, 50 minuti."),
        ("en", "How much is the relaxing massage?", "Relaxing massage: €65.00, 50 minutes."),
        ("es", "¿Cuánto cuesta el masaje relajante?", "Masaje relajante: 65,00 €, 50 minutos."),
        ("pt", "Quanto custa a massagem relaxante?", "Massagem relaxante: 65,00 €, 50 minutos."),
    ],
)
async def test_a_price_in_every_language(room: Room, language: str, text: str, said: str) -> None:
    [fact] = await facts(room, text, language)
    assert fact.text == said
    assert fact.kind == "price"
    assert fact.subject == "massaggio_rilassante"
    assert "Massaggio rilassante" in fact.names


async def test_many_services_are_told_as_one_list(room: Room) -> None:
    [fact] = await facts(room, "quanto costano i massaggi?")
    assert fact.kind == "service_list"
    assert "Massaggio prenatale" in fact.text
    assert "Yoga" not in fact.text


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("it", "siete aperti domenica?", "domenica 22 novembre 2026 siamo aperti 10:00–16:00"),
        ("en", "are you open on Sunday?", "on Sunday, 22 November 2026 we are open 10:00–16:00"),
        ("es", "¿abrís el domingo?", "domingo, 22 de noviembre de 2026 abrimos 10:00–16:00"),
        ("pt", "estão abertos no domingo?", "domingo, 22 de novembro de 2026, aberto 10:00–16:00"),
        ("it", "siete aperti a Natale?", "venerdì 25 dicembre 2026 siamo chiusi"),
    ],
)
async def test_hours_of_a_day(room: Room, language: str, text: str, said: str) -> None:
    [fact] = await facts(room, text, language)
    assert said in fact.text
    assert fact.kind == ("closure" if "chiusi" in said else "hours")


async def test_the_whole_week(room: Room) -> None:
    [fact] = await facts(room, "che orari fate?")
    assert "lunedì–venerdì 10:00–21:00; sabato 09:30–20:00; domenica 10:00–16:00" in fact.text


async def test_lunch_breaks_closed_days_and_the_place_that_is_named(room: Room) -> None:
    [fact, *_] = await facts(room, "¿qué horario tiene la oficina de Valencia?", "es", "costa-azul")
    assert fact.subject == "valencia"
    assert "lunes–viernes 10:00–14:00, 16:30–20:00" in fact.text
    assert "domingo cerrado" in fact.text


async def test_a_closure_is_told_to_who_wants_to_come_that_day(room: Room) -> None:
    [fact] = await facts(room, "posso passare il 25 dicembre?")
    assert fact.kind == "closure"


@pytest.mark.parametrize(
    ("text", "language", "days"),
    [
        ("Siete aperti a Natale e a Santo Stefano?", "it", ("2026-12-25", "2026-12-26")),
        ("siete aperti il 25 e il 26 dicembre?", "it", ("2026-12-25", "2026-12-26")),
        ("are you open from 24 to 26 December?", "en", ("2026-12-24", "2026-12-25", "2026-12-26")),
        ("siete aperti questo weekend?", "it", ("2026-11-21", "2026-11-22")),
    ],
)
async def test_every_day_that_is_meant_is_told(
    room: Room, text: str, language: str, days: tuple[str, ...]
) -> None:
    told = {fact.id.rpartition(":")[2]: fact for fact in await facts(room, text, language)}
    assert set(days) <= set(told)
    for shut in {"2026-12-25", "2026-12-26"} & set(days):
        assert told[shut].kind == "closure"


async def test_who_asks_whether_it_is_open_hears_of_a_closure(room: Room) -> None:
    say = Phrases.load().speaker("it")
    christmas = datetime(2026, 12, 25, 10, tzinfo=UTC)
    for text in ("Siete aperti?", "siete aperti adesso?", "che orari fate?"):
        found = live_facts(await room.profile("aurora"), text, "it", christmas, say)
        assert ("closure", "venerdì 25 dicembre 2026") in [
            (fact.kind, "venerdì 25 dicembre 2026") for fact in found if "25 dicembre" in fact.text
        ]
    before = live_facts(await room.profile("aurora"), "che orari fate?", "it", NOW, say)
    assert [fact.kind for fact in before] == ["hours"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A que horas encerram?", "pt"), ("até que horas vocês atendem?", "pt"), ("lavorate la domenica?",
        "it"),
        ("¿atendéis los domingos?", "es"), ("estão encerrados ao domingo?", "pt"),
    ],
)  # fmt: skip
async def test_more_ways_to_ask_for_the_hours(room: Room, text: str, language: str) -> None:
    assert "hours" in {fact.kind for fact in await facts(room, text, language)}


async def test_address_and_contacts(room: Room) -> None:
    [fact] = await facts(room, "dove siete?")
    assert fact.text == "Aurora Porta Romana si trova in Via Orti 14, 20122 Milano."
    both = await facts(room, "where are you?", "en", "costa-azul")
    assert [fact.subject for fact in both] == ["lisboa", "valencia"]
    [fact] = await facts(room, "avete una e-mail?")
    assert "ciao@aurora-benessere.example" in fact.text


async def test_a_house_rule_that_is_asked_about(room: Room) -> None:
    told = await facts(room, "il telefono in area spa si può tenere?")
    assert any(fact.kind == "house_rule" and "telefono" in fact.text for fact in told)


@pytest.mark.parametrize("text", ["", "👍", "grazie mille!", "avete il parcheggio?", "mi fa male la schiena"])
async def test_nothing_is_told_that_was_not_asked(room: Room, text: str) -> None:
    assert await facts(room, text) == []


async def test_ranges_percentages_and_prices_on_request(room: Room) -> None:
    profile = await room.profile("costa-azul")
    say = Phrases.load().speaker("en")
    texts = {
        s.row.key: live_facts(profile, f"how much is {s.names['en'][0]}?", "en", NOW, say)[0].text
        for s in profile.services
    }
    for service in profile.services:
        if service.row.price_unit == "percent" and service.row.price is not None:
            assert "%" in texts[service.row.key]
            assert "€" not in texts[service.row.key]
        if service.row.price is None:
            assert "price on request" in texts[service.row.key]
        if service.row.price == 0:
            assert "free of charge" in texts[service.row.key]
