from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.messages import Button, OutboundMessage, Row
from channels.whatsapp import limits
from channels.whatsapp.limits import UnsendableMessage, fit, split

SENTENCE = "Il massaggio rilassante dura cinquanta minuti e costa 65,00 €. "


def buttons(*titles: str) -> tuple[Button, ...]:
    return tuple(Button(id=f"b{n}", title=title) for n, title in enumerate(titles))


def test_what_fits_is_unchanged() -> None:
    for message in (
        OutboundMessage(body="Ciao", reply_to="wamid.1"),
        OutboundMessage(kind="buttons", body="Va bene?", buttons=buttons("Sì", "No"), footer="Aurora"),
        OutboundMessage(kind="list", body="Quando?", rows=(Row(id="1", title="Oggi"),), opener="Orari"),
        OutboundMessage(kind="document", body="Il preventivo", media_id="7", filename="preventivo.pdf"),
    ):
        assert fit(message) == [message]


def test_long_text_is_cut_at_sentences_and_only_the_first_quotes() -> None:
    text = (SENTENCE * 200).strip()
    parts = fit(OutboundMessage(body=text, reply_to="wamid.1"))
    assert len(parts) == 4
    assert all(len(part.body) <= limits.TEXT_MAX and part.body.endswith("€.") for part in parts)
    assert " ".join(part.body for part in parts) == text
    assert [part.reply_to for part in parts] == ["wamid.1", None, None, None]


def test_paragraphs_are_preferred_to_sentences() -> None:
    first = "A. " * 1000
    assert split(f"{first}\n\n{'B. ' * 1000}", 4096) == [first.strip(), ("B. " * 1000).strip()]


def test_a_closing_quote_stays_with_its_sentence() -> None:
    text = "«" + "x" * 60 + ".» " + "y" * 60
    assert split(text, 100) == ["«" + "x" * 60 + ".»", "y" * 60]


def test_emoji_sequences_are_not_torn() -> None:
    family = "👨‍👩‍👧"
    for part in split(family * 100, 16):
        assert part.count("👨") == part.count("👧")
        assert len(part) <= 16


def test_long_bodies_of_buttons_go_ahead_as_text() -> None:
    text = (SENTENCE * 40).strip()
    ahead, asked = fit(OutboundMessage(kind="buttons", body=text, buttons=buttons("Sì", "No"), reply_to="w"))
    assert ahead.kind == "text"
    assert asked.kind == "buttons"
    assert len(asked.body) <= limits.INTERACTIVE_BODY_MAX
    assert f"{ahead.body} {asked.body}" == text
    assert asked.body.startswith("Il massaggio")
    assert (ahead.reply_to, asked.reply_to) == ("w", None)


def test_long_titles_are_cut_with_an_ellipsis() -> None:
    (message,) = fit(
        OutboundMessage(kind="buttons", body="?", buttons=buttons("Giovedì 19 novembre ore 10:00", "No"))
    )
    assert message.buttons[0].title == "Giovedì 19 novembre…"
    assert len(message.buttons[0].title) == 20


def test_titles_equal_once_cut_become_a_list_that_tells_them_apart() -> None:
    titles = ("Giovedì 19 novembre ore 10", "Giovedì 19 novembre ore 11")
    (message,) = fit(OutboundMessage(kind="buttons", body="?", buttons=buttons(*titles)))
    assert message.kind == "list"
    assert [row.description for row in message.rows] == list(titles)


def test_more_than_three_buttons_become_a_list() -> None:
    (message,) = fit(OutboundMessage(kind="buttons", body="Scegli", buttons=buttons(*"abcd"), opener="Orari"))
    assert (message.kind, message.opener, len(message.rows)) == ("list", "Orari", 4)
    assert [row.id for row in message.rows] == ["b0", "b1", "b2", "b3"]


def test_more_than_ten_rows_become_several_lists_and_none_is_lost() -> None:
    rows = tuple(Row(id=str(n), title=f"Orario {n}") for n in range(23))
    lists = fit(OutboundMessage(kind="list", body="Scegli", rows=rows))
    assert [len(part.rows) for part in lists] == [10, 10, 3]
    assert [part.body for part in lists] == ["Scegli", "2/3", "3/3"]
    assert tuple(row for part in lists for row in part.rows) == rows
    assert {part.opener for part in lists} == {limits.DEFAULT_OPENER}


def test_buttons_without_buttons_and_text_with_a_footer_are_text() -> None:
    assert fit(OutboundMessage(kind="buttons", body="Ciao")) == [OutboundMessage(body="Ciao")]
    assert fit(OutboundMessage(body="Ciao", footer="Aurora")) == [OutboundMessage(body="Ciao\n\nAurora")]


@pytest.mark.parametrize(
    "message",
    [
        OutboundMessage(body="  "),
        OutboundMessage(kind="buttons", body="", buttons=buttons("Sì")),
        OutboundMessage(kind="buttons", body="?", buttons=(Button(id="", title="Sì"),)),
        OutboundMessage(kind="buttons", body="?", buttons=(Button(id="x" * 300, title="Sì"),)),
        OutboundMessage(kind="buttons", body="?", buttons=(Button(id="1", title=" "),)),
        OutboundMessage(
            kind="buttons", body="?", buttons=(Button(id="1", title="a"), Button(id="1", title="b"))
        ),
        OutboundMessage(kind="list", body="?", rows=(Row(id="x" * 201, title="a"),)),
        OutboundMessage(kind="document", body="x", filename="x.pdf"),
    ],
)
def test_what_no_repair_helps_is_refused(message: OutboundMessage) -> None:
    with pytest.raises(UnsendableMessage):
        fit(message)


TEXTS = st.text(st.sampled_from("ab .!?\n\u0301👍\u200d👩»"), max_size=400).map(lambda text: text * 30)


@given(TEXTS, st.integers(40, 300))
def test_split_loses_only_white_space(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(
    st.sampled_from(["text", "buttons", "list"]),
    TEXTS.filter(str.strip),
    st.lists(st.text("xyz ", min_size=1, max_size=90).filter(str.strip), max_size=24),
    st.none() | st.text("f ", max_size=90),
)
def test_everything_fits_after_fitting_and_fitting_twice_changes_nothing(
    kind: str, body: str, titles: list[str], footer: str | None
) -> None:
    rows = tuple(Row(id=str(n), title=title) for n, title in enumerate(titles))
    parts = fit(OutboundMessage(kind=kind, body=body, rows=rows, footer=footer))  # type: ignore[arg-type]
    for part in parts:
        assert len(part.body) <= (limits.TEXT_MAX if part.kind == "text" else limits.INTERACTIVE_BODY_MAX)
        assert len(part.buttons) <= 3
        assert len(part.rows) <= 10
        assert all(len(button.title) <= 20 for button in part.buttons)
        assert all(len(row.title) <= 24 and len(row.description or "") <= 72 for row in part.rows)
        assert len(part.footer or "") <= 60
        assert fit(part) == [part]
