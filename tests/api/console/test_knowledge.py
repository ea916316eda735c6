"""What SARA may say: uploads and what goes wrong with them, validity, trying a question, facts."""

import secrets
from datetime import date, timedelta

import pytest_asyncio

from crm import corrections, library, proposals
from crm.library import DocumentRow
from sara.exchange import exchange
from sara.local import Local
from tests.api.console.people import JSON, Agent, customer, somebody_waits
from tests.api.console.test_desk import business_id


async def post(agent: Agent, path: str, **given: str) -> tuple[int, str]:
    answer = await agent.web.post(
        f"{agent.base}/knowledge/{path}", data={"csrf": agent.csrf, **given}, follow_redirects=True
    )
    return answer.status_code, answer.text


async def upload(agent: Agent, name: str, content: bytes) -> tuple[int, dict[str, str]]:
    answer = await agent.web.post(
        f"{agent.base}/knowledge/upload",
        data={"csrf": agent.csrf},
        files={"file": (name, content)},
        headers=JSON,
    )
    return answer.status_code, answer.json() if answer.content else {}


async def known(whole: Local, name: str) -> DocumentRow | None:
    async with whole.crm.transaction(await business_id(whole)) as tx:
        return next((row for row in await library.documents(tx) if row.path == name), None)


@pytest_asyncio.fixture(loop_scope="session")
async def name(whole: Local) -> str:
    return f"orto-{secrets.token_hex(3)}.md"


async def test_a_document_is_taken_in_asked_about_and_forgotten(
    whole: Local, boss: Agent, elena: Agent, name: str
) -> None:
    words = "# Orto botanico\n\nNell'orto botanico coltiviamo dodici varietà di lavanda della Provenza.\n"
    status, told = await upload(boss, name, words.encode())
    assert (status, told["go"]) == (200, "/console/aurora/knowledge?told=added")
    _, told = await upload(boss, name, words.encode())
    assert told["go"].endswith("unchanged")
    assert name in await elena.page("/knowledge")
    asked = {"question": "Quante varietà di lavanda coltivate?", "language": "it"}
    status, page = await post(elena, "ask", **asked)
    assert status == 200
    assert "dodici varietà di lavanda" in page.split("Passages found")[0]  # the answer …
    assert name in page  # … and where it is from
    assert "Quante varietà di lavanda coltivate?" in page
    row = await known(whole, name)
    assert row is not None
    assert (row.title, row.passages) == ("Orto botanico", 1)
    yesterday = (date.today() - timedelta(days=1)).isoformat()
    assert (await post(elena, f"documents/{row.document_id}", valid_until=yesterday))[0] == 403
    status, page = await post(boss, f"documents/{row.document_id}", valid_until=yesterday)
    assert status == 200
    assert "no longer in force" in page
    _, page = await post(elena, "ask", **asked)
    assert "dodici varietà" not in page
    status, page = await post(
        boss, f"documents/{row.document_id}", valid_from="2030-02-01", valid_until="2030-01-01"
    )
    assert status == 422
    assert "cannot stop being valid" in page
    assert (await post(boss, f"documents/{row.document_id}", valid_from="2030-02-31"))[0] == 422
    assert (await post(boss, f"documents/{row.document_id}/delete"))[0] == 200
    assert await known(whole, name) is None
    assert (await post(boss, f"documents/{row.document_id}/delete"))[0] == 422


async def test_failures_are_told_in_words_and_keep_what_was_there(
    whole: Local, boss: Agent, elena: Agent, stranger: Agent, name: str
) -> None:
    assert (await upload(boss, name, b"# Prima\n\nUna versione che si legge bene."))[0] == 200
    for bad, why in (
        (b"", "at most 16 MB"),
        (b"\x00\x01\x02" * 400, "neither text nor a document"),
        (b"   \n", "no text in it"),
    ):
        status, told = await upload(boss, name, bad)
        assert status == 422, bad[:10]
        assert why in told["detail"]
    status, told = await upload(boss, "scan.pdf", b"%PDF-1.4 cut short")
    assert status == 422
    assert "scan.pdf was not taken in" in told["detail"]
    row = await known(whole, name)
    assert row is not None
    assert row.title == "Prima"
    assert (await upload(boss, "../../etc/passwd.md", b"# Passi\n\nNessuna cartella."))[0] == 200
    assert await known(whole, "passwd.md") is not None
    assert (await upload(elena, name, b"# x\n\ny"))[0] == 403
    assert (await post(stranger, f"documents/{row.document_id}/delete"))[0] in (403, 422)
    assert (await post(elena, "ask", question="  "))[0] == 422


async def test_listed_facts_are_proposed_and_decided(whole: Local, boss: Agent, elena: Agent) -> None:
    rows = ["| Servizio | Prezzo | Durata |", "|---|---|---|", "| Massaggio rilassante | 69 € | 50 min |"]
    listing = "\n".join(["# Listino", "", *rows, ""])
    status, told = await upload(boss, "listino-prova.md", listing.encode())
    assert (status, told["go"]) == (200, "/console/aurora/knowledge?told=facts")
    page = await elena.page("/knowledge")
    assert "69" in page
    assert 'value="accept"' not in page
    aurora = await business_id(whole)
    async with whole.crm.transaction(aurora) as tx:
        [row] = [one for one in await proposals.proposals(tx) if one.document == "listino-prova.md"]
    assert (await post(elena, f"facts/{row.proposal_id}", verdict="accept"))[0] == 403
    status, page = await post(boss, f"facts/{row.proposal_id}", verdict="reject")
    assert status == 200
    status, page = await post(boss, f"facts/{row.proposal_id}", verdict="reject")
    assert status == 422
    assert (await post(boss, f"facts/{row.proposal_id}", verdict="burn"))[0] == 422
    came = await exchange(whole, customer(), text="Quanto costa un massaggio rilassante?")
    assert "65,00" in came.reply


async def test_a_list_proposes_nothing_on_days_it_does_not_hold_by_hand(whole: Local, boss: Agent) -> None:
    aurora = await business_id(whole)

    async def proposed(price: int) -> tuple[str, list[str]]:
        """What an upload of a list that ended long ago by its title comes to."""
        table = f"| Servizio | Prezzo |\n|---|---|\n| Massaggio rilassante | {price} € |\n"
        _, told = await upload(boss, "tariffe-a-mano.md", f"# Listino prezzi 2020\n\n{table}".encode())
        return told["go"].rpartition("=")[2], await still_open()

    async def still_open() -> list[str]:
        async with whole.crm.transaction(aurora) as tx:
            rows = await proposals.proposals(tx)
        return [row.new_value for row in rows if row.document == "tariffe-a-mano.md"]

    async def dated(first: date | None, last: date | None) -> None:
        row = await known(whole, "tariffe-a-mano.md")
        assert row is not None
        days = {"valid_from": str(first or ""), "valid_until": str(last or "")}
        assert (await post(boss, f"documents/{row.document_id}", **days))[0] == 200

    today = date.today()
    assert await proposed(71) == ("added", [])
    await dated(None, today + timedelta(days=30))
    assert await proposed(72) == ("facts", ["72.00"])
    await dated(None, today + timedelta(days=60))
    assert await still_open() == ["72.00"]
    await dated(today + timedelta(days=30), None)
    assert await still_open() == []
    assert await proposed(73) == ("added", [])


async def test_an_answer_given_often_becomes_a_document(whole: Local, boss: Agent, elena: Agent) -> None:
    word = secrets.token_hex(4)
    for who in ("Anna", "Bea", "Carla"):
        waiting = await somebody_waits(whole, f"{who} Spesso")
        said = f"Ciao {who}, la piscina {word} si prenota al banco con due giorni di anticipo e la tessera."
        await elena.did(waiting.conversation_id, "send", text=said, attempt=who)
        await elena.did(waiting.conversation_id, "back", note=f"Detto della piscina a {who}")
    page = await boss.page("/knowledge")
    assert f"la piscina {word}" in page
    assert "3 times" in page
    async with whole.crm.transaction(await business_id(whole)) as tx:
        [one] = [found for found in await corrections.often(tx) if word in found.answer]
        kept = [
            row for row in await corrections.rows(tx) if word in row.sent or "Detto della piscina" in row.sent
        ]
    assert [row.kind for row in kept] == ["answer", "note"] * 3
    assert (await post(elena, f"often/{one.key}", verdict="accept", title="x", body="y"))[0] == 403
    assert (await post(boss, f"often/{one.key}", verdict="accept", title="Piscina", body=""))[0] == 422
    body = f"La piscina {word} si prenota al banco con due giorni di anticipo."
    status, page = await post(boss, f"often/{one.key}", verdict="accept", title=f"Piscina {word}", body=body)
    assert status == 200
    assert await known(whole, f"Piscina {word}.md") is not None
    assert "3 times" not in page


async def answered_often(whole: Local, agent: Agent, said: str) -> str:
    """The key of an answer the team has given three times."""
    for who in ("Anna", "Bea", "Carla"):
        waiting = await somebody_waits(whole, f"{who} Spesso")
        await agent.did(waiting.conversation_id, "send", text=f"Ciao {who}, {said}", attempt=who)
        await agent.did(waiting.conversation_id, "back")
    async with whole.crm.transaction(await business_id(whole)) as tx:
        [one] = [found for found in await corrections.often(tx) if said in found.answer]
    return one.key


async def test_two_answers_with_names_alike_are_two_documents(
    whole: Local, boss: Agent, elena: Agent
) -> None:
    word = secrets.token_hex(4)
    cut, colour = f"Taglio uomo/donna {word}", f"Colore uomo/donna {word}"
    one = await answered_often(whole, elena, f"il taglio {word} si fa dal martedì al sabato su prenotazione.")
    two = await answered_often(whole, elena, f"per la tinta {word} servono quasi due ore e una prova prima.")
    assert (await post(boss, f"often/{one}", verdict="accept", title=cut, body="Il taglio."))[0] == 200
    assert (await post(boss, f"often/{two}", verdict="accept", title=colour, body="La tinta."))[0] == 200
    for title in (cut, colour):
        row = await known(whole, f"{title.replace('/', '_')}.md")
        assert row is not None
        assert row.title == title
    again = await answered_often(whole, elena, f"il taglio di chi è già cliente {word} non si prenota mai.")
    assert (await post(boss, f"often/{again}", verdict="accept", title=cut, body="Un altro."))[0] == 200
    # Sent twice it is one document.
    assert (await post(boss, f"often/{again}", verdict="accept", title=cut, body="Un altro."))[0] == 200
    async with whole.crm.transaction(await business_id(whole)) as tx:
        paths = sorted(row.path for row in await library.documents(tx) if row.title == cut)
    assert paths == [f"Taglio uomo_donna {word}-{again[:8]}.md", f"Taglio uomo_donna {word}.md"]


async def test_a_title_longer_than_a_name_does_not_take_another_documents_place(
    whole: Local, boss: Agent, elena: Agent
) -> None:
    word = secrets.token_hex(4)
    title = f"Quello che vale {word} " + "per chi prenota un trattamento al banco " * 3
    keys = [
        await answered_often(whole, elena, f"il fango {word} si fa solo di mattina e dura un'ora intera."),
        await answered_often(whole, elena, f"dopo la doccia {word} si aspetta mezz'ora nella sala del tè."),
    ]
    for key, body in zip(keys, ("Il fango.", "La doccia."), strict=True):
        assert (await post(boss, f"often/{key}", verdict="accept", title=title, body=body))[0] == 200
    async with whole.crm.transaction(await business_id(whole)) as tx:
        paths = {row.path for row in await library.documents(tx) if word in row.path}
    assert paths == {f"{title[:100]}.md", f"{title[:91]}-{keys[1][:8]}.md"}


async def test_what_was_typed_for_a_document_comes_back_with_the_problem(
    whole: Local, boss: Agent, elena: Agent
) -> None:
    word = secrets.token_hex(4)
    key = await answered_often(whole, elena, f"la sauna {word} apre un'ora dopo la piscina e chiude prima.")
    typed = f"Una sauna scritta a mano <{word}>"
    status, page = await post(boss, f"often/{key}", verdict="accept", title="", body=typed)
    assert status == 422
    assert f"Una sauna scritta a mano &lt;{word}&gt;</textarea>" in page
    status, page = await post(boss, f"often/{key}", verdict="accept", title=f"Sauna & <{word}>", body="")
    assert status == 422
    assert f'value="Sauna &amp; &lt;{word}&gt;"' in page
