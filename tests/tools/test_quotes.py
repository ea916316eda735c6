"""A quote from request to invoice: issued within limits, accepted by whom it is for, in time, once."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from crm import fiscal, lifecycle, quote_desk, quotes
from crm.errors import QuoteDecided, QuoteNotPriced, UnknownQuote
from tests.tools.talk import Room, Talk

ASKED = "Vorrei un preventivo per massaggio decontratturante e percorso spa per 4 persone"


async def issued(room: Room, text: str = ASKED, language: str = "it") -> Talk:
    talk = await room.talk(language=language)
    await talk.say(text, intent="request_quote")
    outcome = await talk.say(option="confirm:yes")
    assert outcome["kind"] == "done", talk.words
    return talk


async def quotes_of(talk: Talk) -> list[dict[str, object]]:
    return await talk.room.rows(
        "SELECT * FROM quote WHERE contact_id = %s ORDER BY quote_id", talk.contact_id
    )


async def accept(talk: Talk, *words: str) -> None:
    for word in words:
        await talk.say(word)
    await talk.say(option="confirm:yes")


async def test_what_the_record_prices_is_issued_at_once(room: Room) -> None:
    talk = await issued(room)
    [quote] = await quotes_of(talk)
    assert quote["status"] == "issued"
    assert quote["number"] in talk.words
    assert "452,00 €" in talk.words
    assert talk.options == [f"quote:accept:{quote['quote_id']}", f"quote:decline:{quote['quote_id']}"]
    assert talk.state["frame"] == {}
    lines = await room.rows(
        "SELECT * FROM quote_line WHERE quote_id = %s ORDER BY ordinal", quote["quote_id"]
    )
    assert [str(line["vat_rate"]) for line in lines] == ["22.00", "22.00"]
    hooks = await room.rows(
        "SELECT h.target, e.kind FROM event_hook h JOIN crm_event e USING (crm_event_id)"
        " WHERE e.contact_id = %s ORDER BY 2, 1", talk.contact_id,
    )  # fmt: skip
    assert [(hook["kind"], hook["target"]) for hook in hooks] == [
        ("quote_issued", "document"),
        ("quote_requested", "alert"),
    ]


@pytest.mark.parametrize("language", ["it", "en", "es", "pt"])
async def test_a_seller_who_charges_no_vat_speaks_of_none(room: Room, language: str) -> None:
    told = []
    for rate in ("0", "22"):
        await room.rows("UPDATE business_fiscal SET vat_rate = %s WHERE business_id = %s", rate, 1)
        talk = await room.talk()
        await talk.say("preventivo massaggio decontratturante per 2 persone", intent="request_quote")
        talk.language = language
        await talk.say(option="confirm:yes")
        [quote] = await quotes_of(talk)
        assert quote["number"] in talk.words
        told.append([word for word in ("IVA", "VAT") if word in talk.words])
    assert told == [[], ["VAT" if language == "en" else "IVA"]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("preventivo per un evento privato", "unpriced"),
        ("preventivo massaggio decontratturante per 200 persone", "over the limit"),
    ],
)
async def test_what_is_not_for_the_machine_waits_for_a_person(room: Room, text: str, reason: str) -> None:
    talk = await issued(room, text)
    [quote] = await quotes_of(talk)
    assert (quote["status"], quote["number"]) == ("requested", None), reason
    assert talk.options == []
    [follow_up] = await room.rows("SELECT * FROM follow_up WHERE contact_id = %s", talk.contact_id)
    assert follow_up["kind"] == "price_quote"
    assert follow_up["agent_id"] is not None


async def test_people_multiply_what_is_paid_for_each_of_them_and_no_case(room: Room) -> None:
    talk = await room.talk("conti")
    await talk.say(
        "preventivo per la registrazione di un contratto di locazione, siamo in 2", intent="request_quote"
    )
    assert "2 ×" not in talk.words
    profile = await room.profile("conti")
    hourly = next(one for one in profile.services if one.row.price_unit == "hour")
    assert hourly.row.whole_price(1) == hourly.row.price  # an hour long
    by_the_case = next(one for one in profile.services if one.row.price_unit == "case" and one.row.price)
    if by_the_case.row.price_max is None:
        assert by_the_case.row.whole_price(2) == by_the_case.row.price
    yoga = next(one for one in (await room.profile("aurora")).services if one.row.price_unit == "person")
    assert yoga.row.price is not None
    assert yoga.row.whole_price(3) in (None, yoga.row.price * 3)


async def test_a_client_is_trusted_with_twice_the_limit(room: Room) -> None:
    talk = await room.talk()
    async with room.crm.transaction(talk.business_id) as tx:
        await lifecycle.rise(tx, talk.contact_id, "client", None)
    await talk.say("preventivo massaggio decontratturante per 40 persone", intent="request_quote")
    await talk.say(option="confirm:yes")
    [quote] = await quotes_of(talk)
    assert quote["status"] == "issued"  # 3000 EUR, and the limit is 2500


async def test_numbers_of_a_year_have_no_gap_even_at_once(room: Room) -> None:
    talks = [await room.talk() for _ in range(8)]
    for talk in talks:
        await talk.say("preventivo massaggio decontratturante per 2 persone", intent="request_quote")
    await asyncio.gather(*(talk.say(option="confirm:yes") for talk in talks))
    rows = await room.rows("SELECT number FROM quote WHERE business_id = %s", talks[0].business_id)
    places = sorted(int(row["number"].partition("/")[2]) for row in rows)
    assert places == list(range(places[0], places[0] + 8))


async def test_acceptance_asks_for_the_invoice_and_makes_it(room: Room) -> None:
    talk = await issued(room)
    await talk.say(option=talk.options[0])
    assert talk.state["frame"]["question"]["slot"] == "detail:tax_id"
    await talk.say("12345678901", intent="answer", reply="Non lo so.")
    assert "controlla le cifre" in talk.words
    await talk.say("RCCMNL83S18D969H", intent="book_appointment", confidence=0.95)
    assert talk.state["frame"]["question"]["slot"] == "detail:address"
    await talk.say("via Torino")
    assert "indirizzo completo" in talk.words
    await talk.say("Via Torino 5, 20123 Milano (MI)")
    assert talk.state["frame"]["question"]["slot"] == "confirm"
    assert "452,00 €" in talk.words
    before = dict(talk.state)
    for _ in range(2):  # a turn that runs again changes nothing
        talk.state = dict(before)
        outcome = await talk.say("sì", turn_id="accepting")
    assert outcome["kind"] in ("done", "declined")
    [draft] = await room.rows("SELECT * FROM invoice_draft WHERE contact_id = %s", talk.contact_id)
    assert draft["status"] == "ready"
    lines = await room.rows(
        "SELECT * FROM invoice_draft_line WHERE invoice_draft_id = %s", draft["invoice_draft_id"]
    )
    assert sum(line["quantity"] * line["unit_price"] for line in lines) == Decimal(452)
    [contact] = await room.rows("SELECT lifecycle FROM contact WHERE contact_id = %s", talk.contact_id)
    assert contact["lifecycle"] == "client"
    assert len(await room.rows("SELECT 1 FROM crm_event WHERE kind = 'quote_accepted'")) == 1
    async with room.crm.transaction(talk.business_id) as tx:
        buyer = await fiscal.buyer(tx, talk.contact_id)
    assert buyer is not None
    assert (buyer.street, buyer.postal_code, buyer.city, buyer.province) == (
        "Via Torino 5",
        "20123",
        "Milano",
        "MI",
    )


async def test_billing_can_be_skipped_and_is_remembered_when_told(room: Room) -> None:
    talk = await issued(room)
    await talk.say("Accetto il preventivo", intent="accept_quote")
    await talk.say(option="frame:skip")
    await talk.say("no")
    assert talk.state["frame"]["question"]["slot"] == "confirm"
    await talk.say(option="confirm:yes")
    assert await room.rows("SELECT 1 FROM contact_fiscal WHERE contact_id = %s", talk.contact_id) == []


async def test_two_acceptances_at_once_make_one_invoice(room: Room) -> None:
    talk = await issued(room)
    await talk.say(option=talk.options[0])
    await talk.say(option="frame:skip")
    await talk.say(option="frame:skip")
    other = Talk(
        room, talk.business_id, talk.contact_id, talk.conversation_id, "it", talk.name, dict(talk.state)
    )
    await asyncio.gather(
        *(t.say(option="confirm:yes", turn_id=f"twice-{n}") for n, t in enumerate((talk, other)))
    )
    assert len(await room.rows("SELECT 1 FROM invoice_draft WHERE contact_id = %s", talk.contact_id)) == 1


@pytest.mark.parametrize("what", ["button", "number"])
async def test_somebody_elses_quote_cannot_be_accepted(room: Room, what: str) -> None:
    theirs = await issued(room)
    [quote] = await quotes_of(theirs)
    thief = await room.talk()
    if what == "button":
        outcome = await thief.say(option=f"quote:accept:{quote['quote_id']}")
        assert "Non trovo quel preventivo" in thief.words
    else:
        outcome = await thief.say(f"accetto il preventivo {quote['number']}", intent="accept_quote")
        assert "Non ho preventivi aperti" in thief.words
    assert outcome["kind"] == "declined"
    assert (await quotes_of(theirs))[0]["status"] == "issued"
    async with room.crm.transaction(room.ids["aurora"]) as tx:
        with pytest.raises(UnknownQuote):
            await quotes.decide(tx, int(str(quote["quote_id"])), thief.contact_id, "accepted", tx.now.date())


@pytest.mark.parametrize(
    "option", ["quote:accept:", "quote:accept:-1", "quote:steal:1", "quote:accept:99999999999"]
)
async def test_buttons_nobody_was_shown_do_nothing(room: Room, option: str) -> None:
    talk = await room.talk()
    outcome = await talk.say(option=option)
    assert outcome["kind"] == "declined"
    assert talk.goto == "reply"


async def test_after_its_last_day_it_is_not_accepted(room: Room) -> None:
    talk = await issued(room)
    await talk.say(option=talk.options[0])
    await talk.say(option="frame:skip")
    room.clock.now += timedelta(days=31)
    talk.state["frame"]["expires_at"] = (room.clock.now + timedelta(minutes=5)).isoformat()
    await talk.say(option="frame:skip")
    outcome = await talk.say(option="confirm:yes")
    assert outcome["kind"] == "declined"
    assert "non è più valido" in talk.words
    assert (await quotes_of(talk))[0]["status"] == "expired"
    assert await room.rows("SELECT 1 FROM invoice_draft WHERE contact_id = %s", talk.contact_id) == []
    assert len(await room.rows("SELECT 1 FROM crm_event WHERE kind = 'quote_expired'")) == 1


async def test_declining_closes_the_lead_and_the_chase(room: Room) -> None:
    talk = await issued(room, language="es", text="presupuesto para masaje relajante para 2 personas")
    await talk.say(option=talk.options[1])
    assert "no aceptas" in talk.words
    await talk.say("sí")
    assert (await quotes_of(talk))[0]["status"] == "declined"
    [lead] = await room.rows("SELECT stage FROM lead WHERE contact_id = %s", talk.contact_id)
    assert lead["stage"] == "lost"
    [chase] = await room.rows("SELECT status FROM follow_up WHERE contact_id = %s", talk.contact_id)
    assert chase["status"] == "cancelled"


async def test_of_several_quotes_one_is_chosen(room: Room) -> None:
    talk = await issued(room)
    await talk.say("preventivo per massaggio rilassante per 2 persone", intent="request_quote")
    await talk.say(option="confirm:yes")
    first, second = await quotes_of(talk)
    await talk.say("accetto il preventivo", intent="accept_quote")
    assert talk.options == [f"quote:which:{second['quote_id']}", f"quote:which:{first['quote_id']}"]
    await talk.say(option=talk.options[0])
    assert talk.state["frame"]["slots"]["quote"] == second["quote_id"]


async def test_a_person_prices_and_issues(room: Room) -> None:
    talk = await issued(room, "preventivo per un evento privato")
    [quote] = await quotes_of(talk)
    quote_id = int(str(quote["quote_id"]))
    for prices in ([], [Decimal(1), Decimal(2)]):
        async with room.crm.transaction(talk.business_id) as tx:
            with pytest.raises(QuoteNotPriced):
                await quote_desk.issue(tx, quote_id, prices)
    for _ in range(2):
        async with room.crm.transaction(talk.business_id) as tx:
            made = await quote_desk.issue(tx, quote_id, [Decimal("1200.00")][: 1 if _ == 0 else 0])
    assert made.status == "issued"
    assert len(await room.rows("SELECT 1 FROM crm_event WHERE kind = 'quote_issued'")) == 1
    async with room.crm.transaction(talk.business_id) as tx:
        await quotes.decide(tx, quote_id, talk.contact_id, "declined", tx.now.date())
        with pytest.raises(QuoteDecided):
            await quotes.decide(tx, quote_id, talk.contact_id, "accepted", tx.now.date())


async def numbered(room: Room, talk: Talk, *numbers: str) -> None:
    """Gives the customer's quotes these numbers, the oldest first."""
    for quote, number in zip(await quotes_of(talk), numbers, strict=True):
        await room.rows("UPDATE quote SET number = %s WHERE quote_id = %s", number, quote["quote_id"])


async def two_issued(room: Room) -> Talk:
    talk = await issued(room)
    await talk.say("preventivo per massaggio rilassante per 2 persone", intent="request_quote")
    await talk.say(option="confirm:yes")
    return talk


async def test_a_number_is_read_whole(room: Room) -> None:
    talk = await two_issued(room)
    await numbered(room, talk, "2026/12", "2026/1")
    await talk.say("Accetto il preventivo 2026/12", intent="accept_quote")
    assert talk.state["frame"]["slots"]["quote"] == (await quotes_of(talk))[0]["quote_id"]


async def test_a_number_of_no_quote_takes_no_other(room: Room) -> None:
    talk = await issued(room)
    await numbered(room, talk, "2026/1")
    outcome = await talk.say("Accetto il preventivo 2026/3", intent="accept_quote")
    assert (outcome["kind"], talk.state["frame"]) == ("declined", {})
    assert "Non trovo quel preventivo" in talk.words


async def test_a_number_of_a_quote_that_is_over_takes_no_other(room: Room) -> None:
    talk = await two_issued(room)
    await numbered(room, talk, "2026/3", "2026/9")
    first, _ = await quotes_of(talk)
    await room.rows("UPDATE quote SET status = 'expired' WHERE quote_id = %s", first["quote_id"])
    await talk.say("Accetto il preventivo 2026/3", intent="accept_quote")
    assert "2026/3 non è più valido" in talk.words


async def test_a_house_number_that_looks_like_a_quotes_is_none(room: Room) -> None:
    talk = await issued(room)
    await talk.say(option=talk.options[0])
    await talk.say("RCCMNL83S18D969H")
    await talk.say("Via Casilina 1025/12, 00133 Roma (RM)")
    assert talk.state["frame"]["question"]["slot"] == "confirm", talk.words


async def expired(room: Room) -> Talk:
    talk = await issued(room)
    await room.rows("UPDATE quote SET status = 'expired' WHERE contact_id = %s", talk.contact_id)
    await talk.say(option=talk.options[0])
    assert "Ne preparo uno nuovo?" in talk.words
    return talk


async def test_a_yes_to_a_new_quote_begins_it_with_what_the_old_one_held(room: Room) -> None:
    talk = await expired(room)
    outcome = await talk.say("sì")
    assert outcome["kind"] == "confirming"
    assert "4 × Massaggio decontratturante: 75,00 €" in talk.words
    assert "452,00 €" in talk.words
    await talk.say(option="confirm:yes")
    assert [quote["status"] for quote in await quotes_of(talk)] == ["expired", "issued"]


async def test_a_no_to_it_or_other_words_begin_nothing(room: Room) -> None:
    talk = await expired(room)
    await talk.say("no grazie")
    assert talk.state["frame"] == {}
    talk = await expired(room)
    await talk.say("avete il parcheggio?", intent="answer", reply="Sì, in via Orti.")
    assert (talk.words, talk.state["frame"]) == ("Sì, in via Orti.", {})


@pytest.mark.parametrize(
    ("status", "told"),
    [("expired", "non è più valido"), ("declined", "è stato rifiutato"), (None, "Non ho preventivi aperti")],
)
async def test_where_none_is_prepared_by_chat_a_colleague_is_offered(
    room: Room, status: str | None, told: str
) -> None:
    talk, number = await issued(room), ""
    if status:
        [quote] = await quotes_of(talk)
        number = f" {quote['number']}"
        await room.rows("UPDATE quote SET status = %s WHERE contact_id = %s", status, talk.contact_id)
    else:
        talk = await room.talk()
    await room.rows("INSERT INTO pack_intent_off (business_id, intent) VALUES (1, 'request_quote')")
    try:
        await talk.say(f"A che punto è il preventivo{number}?", intent="quote_status")
        assert told in talk.words
        assert "persona del team?" in talk.words
        assert talk.options == ["human:yes", "human:no"]
        assert talk.state["frame"] == {}
    finally:
        await room.rows("DELETE FROM pack_intent_off WHERE business_id = 1")


async def test_a_plain_wish_is_no_tax_code(room: Room) -> None:
    talk = await issued(room)
    await talk.say(option=talk.options[0])
    assert talk.state["frame"]["question"]["slot"] == "detail:tax_id"
    await talk.say(
        "vorrei prenotare un massaggio rilassante venerdì alle 15", intent="book_appointment", confidence=0.45
    )
    assert talk.state["frame"]["intent"] == "book_appointment"
