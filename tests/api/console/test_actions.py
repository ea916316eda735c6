"""What agents do: answer, pass on, give back; who may; and what happens when two do it at once."""

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio

from api.console.actions import facts_of
from crm import conversations, template_book
from crm.template_book import KnownTemplate
from sara.exchange import exchange
from sara.local import Local
from tests.api.console.people import Agent, Waiting, asks, customer, somebody_waits
from tests.api.console.test_desk import business_id

ID3 = b"ID3"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


async def sent_to(whole: Local, waiting: Waiting) -> list[str]:
    return [one.text for one in whole.simulator.sent_to(waiting.customer.wa_id)]


async def next_to(whole: Local, waiting: Waiting, after: int) -> str:
    return (await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=after)).text or ""


async def test_an_answer_reaches_the_customer_and_claims(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    before = len(await sent_to(whole, waiting))
    html = await elena.did(
        waiting.conversation_id, "send", text="  Eccomi, sono Elena.\r\nDica pure. ", attempt="a1"
    )
    assert await next_to(whole, waiting, before) == "Eccomi, sono Elena.\nDica pure."
    assert "yours" in html
    assert "Elena Prova" in html


async def test_of_two_who_press_send_at_once_one_wins_and_the_other_is_told(
    whole: Local, elena: Agent, davide: Agent
) -> None:
    for _ in range(5):
        waiting = await somebody_waits(whole)
        before = len(await sent_to(whole, waiting))
        answers = await asyncio.gather(
            elena.act(waiting.conversation_id, "send", text="Sono Elena", attempt="e"),
            davide.act(waiting.conversation_id, "send", text="Sono Davide", attempt="d"),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        lost = next(answer for answer in answers if answer.status_code == 409)
        assert lost.json()["error"] == "HeldByColleague"
        assert "Your text is still here" in lost.json()["detail"]
        words = await next_to(whole, waiting, before)
        assert words in ("Sono Elena", "Sono Davide")
        page = await elena.page(f"/c/{waiting.conversation_id}")
        assert page.count('<p class="body">Sono ') == 1


async def test_one_press_that_arrives_twice_says_it_once(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    before = len(await sent_to(whole, waiting))
    await asyncio.gather(
        *(elena.did(waiting.conversation_id, "send", text="Una volta", attempt="same") for _ in range(4))
    )
    await elena.did(waiting.conversation_id, "send", text="Poi", attempt="next")
    assert await next_to(whole, waiting, before) == "Una volta"
    assert await next_to(whole, waiting, before + 1) == "Poi"


async def test_who_holds_it_is_the_only_one_who_can_act_but_a_supervisor(
    whole: Local, elena: Agent, davide: Agent, boss: Agent
) -> None:
    waiting = await somebody_waits(whole)
    await elena.did(waiting.conversation_id, "claim")
    for action in ("claim", "send", "back", "resolve", "transfer"):
        answer = await davide.act(waiting.conversation_id, action, text="x", force="1")
        assert answer.status_code == 409, action
    assert "Elena Prova has this conversation" in await davide.page(f"/c/{waiting.conversation_id}")
    assert (await boss.act(waiting.conversation_id, "claim")).status_code == 409
    html = await boss.did(waiting.conversation_id, "claim", force="1")
    assert "yours" in html
    assert (await elena.act(waiting.conversation_id, "send", text="ancora io")).status_code == 409


async def test_words_longer_than_one_message_go_out_in_parts(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    before = len(await sent_to(whole, waiting))
    words = " ".join(f"parola{number}" for number in range(700))
    await elena.did(waiting.conversation_id, "send", text=words)
    first, second = await next_to(whole, waiting, before), await next_to(whole, waiting, before + 1)
    assert max(len(first), len(second)) <= 4096
    assert f"{first} {second}" == words
    assert (await elena.act(waiting.conversation_id, "send", text="x" * 20_001)).status_code == 422
    for nothing in ("", " \n ", "\x00"):
        assert (await elena.act(waiting.conversation_id, "send", text=nothing)).status_code == 422


async def test_a_note_is_for_colleagues_and_never_sent(whole: Local, elena: Agent, davide: Agent) -> None:
    waiting = await somebody_waits(whole)
    before = await sent_to(whole, waiting)
    await davide.did(waiting.conversation_id, "note", text="Cliente storico, attenzione")
    page = await elena.page(f"/c/{waiting.conversation_id}")
    assert "Cliente storico, attenzione" in page
    came = await exchange(whole, waiting.customer, text="Ci siete?")
    assert came.owner == "human"
    assert await sent_to(whole, waiting) == before


async def test_what_is_handed_back_is_used(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    await elena.did(
        waiting.conversation_id,
        "back",
        note="Parlato al telefono",
        facts="parcheggio = posto 7, cancello verde",
        promises="Richiamare lunedì\n\n",
    )
    came = await exchange(whole, waiting.customer, text="Dove trovo il parcheggio?")
    assert came.owner == "bot"
    assert "posto 7, cancello verde" in came.reply
    assert "Parlato al telefono" in await elena.page(f"/c/{waiting.conversation_id}")
    over = await elena.act(waiting.conversation_id, "send", text="ancora")
    assert (over.status_code, over.json()["error"]) == (409, "BotSpeaks")


async def test_what_waited_is_not_handed_over_again_for_the_same_reason(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    before = len(await sent_to(whole, waiting))
    await exchange(whole, waiting.customer, text="Vorrei parlare con una persona, per favore")
    await elena.did(waiting.conversation_id, "back", note="Ci ho parlato")
    assert "persona del team" in await next_to(whole, waiting, before)
    page = await elena.page(f"/c/{waiting.conversation_id}")
    assert "Take over" in page  # the bot has it
    again = await exchange(whole, waiting.customer, text="Vorrei parlare con una persona")
    assert again.owner == "human"


async def test_resolve_and_reopen(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    await elena.did(waiting.conversation_id, "resolve", note="Risolto al banco")
    page = await elena.page(f"/c/{waiting.conversation_id}")
    assert "This conversation is closed" in page
    html = await elena.did(waiting.conversation_id, "reopen")
    assert "yours" in html
    before = len(await sent_to(whole, waiting))
    await elena.did(waiting.conversation_id, "send", text="Dimenticavo una cosa")
    assert await next_to(whole, waiting, before) == "Dimenticavo una cosa"
    await elena.did(waiting.conversation_id, "resolve")
    await asks(whole, waiting.customer)
    newer = await elena.act(waiting.conversation_id, "reopen")
    assert (newer.status_code, newer.json()["error"]) == (409, "NewerConversation")


async def test_passing_on_to_a_colleague_and_to_a_queue(whole: Local, elena: Agent, davide: Agent) -> None:
    waiting = await somebody_waits(whole)
    await elena.did(waiting.conversation_id, "claim")
    await elena.did(
        waiting.conversation_id, "transfer", to=f"agent:{davide.agent_id}", note="Sai tu del gift"
    )
    page = await davide.page(view="mine", q=waiting.customer.wa_id)
    assert f"/c/{waiting.conversation_id}?" in page
    assert "Sai tu del gift" in await davide.page(f"/c/{waiting.conversation_id}")
    await davide.did(waiting.conversation_id, "transfer", to="queue:amministrazione")
    page = await elena.page(view="unclaimed", queue="amministrazione")
    assert f"/c/{waiting.conversation_id}?" in page
    unknown = await elena.act(waiting.conversation_id, "transfer", to="agent:999999")
    assert unknown.status_code == 422


async def test_taking_over_from_the_bot_and_giving_back(whole: Local, elena: Agent) -> None:
    who = customer()
    came = await asks(whole, who)
    html = await elena.did(came.conversation_id, "takeover")
    assert "took over from SARA" in html
    quiet = await exchange(whole, who, text="Quanto costa un massaggio rilassante?")
    assert quiet.reply == ""
    before = len(whole.simulator.sent_to(who.wa_id))
    await elena.did(came.conversation_id, "back", note="tutto bene")
    reply = await whole.simulator.wait_for_reply(who.wa_id, after=before)
    assert "65,00" in (reply.text or "")


async def test_when_the_24_hours_are_over_only_a_template_goes_out(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    aurora = await business_id(whole)
    async with whole.crm.transaction(aurora) as tx:
        then = (await conversations.get(tx, waiting.conversation_id)).opened_at - timedelta(hours=25)
    async with whole.crm.as_owner() as tx:
        await tx.connection.execute(
            "UPDATE conversation SET last_customer_at = %s WHERE conversation_id = %s",
            (then, waiting.conversation_id),
        )
        await tx.connection.execute(
            "INSERT INTO message_template (business_id, purpose, language, name, code)"
            " VALUES (%(aurora)s, 'write_again', 'en', 'ci_scriva_ancora', 'en'),"
            " (%(aurora)s, 'write_again', 'it', 'ci_scriva_ancora', 'it') ON CONFLICT DO NOTHING",
            {"aurora": aurora},
        )
    async with whole.crm.transaction(aurora) as tx:
        for code, words in (("en", "Please write again."), ("it", "Ci scriva ancora, per favore.")):
            known = ("ci_scriva_ancora", code, "UTILITY", "APPROVED", None, None, words, 0, True, [])
            await template_book.put(tx, KnownTemplate(*known))
    refused = await elena.act(waiting.conversation_id, "send", text="Buongiorno")
    assert (refused.status_code, refused.json()["error"]) == (409, "WindowOver")
    assert "ci_scriva_ancora" in await elena.page(f"/c/{waiting.conversation_id}")
    before = len(await sent_to(whole, waiting))
    html = await elena.did(waiting.conversation_id, "template", name="ci_scriva_ancora:it", attempt="t")
    sent = await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=before)
    assert (sent.type, sent.text) == ("template", "[ci_scriva_ancora]")
    assert sent.raw["template"]["language"] == {"code": "it"}  # the one chosen, not the first of that name
    assert "Ci scriva ancora, per favore." in html
    unnamed = await elena.did(waiting.conversation_id, "template", name="ci_scriva_ancora", attempt="u")
    assert unnamed.count("Ci scriva ancora, per favore.") == 2  # a page of an earlier release: the customer's
    other = await elena.act(waiting.conversation_id, "template", name="another")
    assert other.status_code == 409


def test_a_fact_is_told_as_it_was_typed() -> None:
    typed = """
        parcheggio = posto 7
        Il corso inizia alle 18:30
        Il listino: https://aurora.example/?anno=2026
        https://aurora.example/?anno=2026
        Nota: 2 + 2 = 4
        Il cane è ammesso
    """
    assert facts_of(typed) == {
        "parcheggio": "posto 7",
        "Il corso inizia alle 18:30": "Il corso inizia alle 18:30",
        "Il listino": "https://aurora.example/?anno=2026",
        "https://aurora.example/?anno=2026": "https://aurora.example/?anno=2026",
        "Nota": "2 + 2 = 4",
        "Il cane è ammesso": "Il cane è ammesso",
    }


def test_no_fact_of_a_form_takes_anothers_place() -> None:
    assert list(facts_of("orario: 9\norario: 15").values()) == ["9", "orario: 15"]
    long = "parola " * 40
    assert facts_of(f"{long}= sì") == {f"{long}= sì"[:80]: f"{long}= sì"}


async def test_a_picture_and_a_document_are_sent_with_their_caption(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    before = len(await sent_to(whole, waiting))
    await elena.did(
        waiting.conversation_id, "send", text="La sala", files={"file": ("../sala <1>.png", PNG, "text/html")}
    )
    sent = await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=before)
    assert (sent.type, sent.text) == ("image", "La sala")
    await elena.did(waiting.conversation_id, "send", files={"file": ("listino.pdf", b"%PDF-1.7 x", "x/y")})
    sent = await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=before + 1)
    assert (sent.type, sent.filename) == ("document", "listino.pdf")
    page = await elena.page(f"/c/{waiting.conversation_id}")
    assert "sala _1_.png" in page
    path = page.split('class="file" href="')[1].split('"')[0]
    file = await elena.web.get(path)
    assert file.content == PNG
    assert "sandbox" in file.headers["content-security-policy"]


async def test_words_beside_a_sound_are_a_message_of_their_own(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    before = len(await sent_to(whole, waiting))
    sound = ID3 + b"\x00" * 64
    await elena.did(
        waiting.conversation_id, "send", text="Spostato alle 16", files={"file": ("nota.mp3", sound, "x/y")}
    )
    first = await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=before)
    second = await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=before + 1)
    assert (first.type, second.type, second.text) == ("audio", "text", "Spostato alle 16")
    await elena.did(waiting.conversation_id, "send", files={"file": ("nota.mp3", sound, "x/y")})
    third = await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=before + 2)
    assert third.type == "audio"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("virus.exe", b"MZ\x90\x00"),
        ("page.html", b"<script>alert(1)</script>"),
        ("picture.png", b"<svg onload=alert(1)>"),
        ("fake.pdf", PNG),
        ("fake.docx", b"PK\x03\x04 not an archive"),
        ("binary.txt", b"\xff\xfe\x00\x01"),
        ("large.png", PNG + b"\x00" * (5 * 2**20)),
        ("empty.pdf", b""),
    ],
)
async def test_wrong_files_are_refused_and_nothing_is_sent(
    whole: Local, elena: Agent, uploads: Waiting, name: str, content: bytes
) -> None:
    before = await sent_to(whole, uploads)
    answer = await elena.act(uploads.conversation_id, "send", files={"file": (name, content, "image/png")})
    assert answer.status_code == 422
    assert await sent_to(whole, uploads) == before


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def uploads(whole: Local) -> Waiting:
    return await somebody_waits(whole)


async def test_forms_work_without_scripts_too(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    where = f"/console/aurora/c/{waiting.conversation_id}"
    answer = await elena.web.post(f"{where}/claim", data={"csrf": elena.csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    refused = await elena.web.post(f"{where}/send", data={"csrf": elena.csrf, "text": ""})
    assert refused.status_code == 422
    assert "Back to the conversation" in refused.text
