"""What may not leave is not readable in what leaves, however it is written; what is no person's stays."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from inference.masking import Masker, masker_for, text
from inference.masking_plain import plain

GONE = {
    "phone": [
        *("+39 333 123 4567", "0039 333 1234567", "(+34) 612-345-678", "612.345.678", "351 912 345 678"),
        *(
            "+44 (0)7911 123456",
            "07911 123456",
            "333\u00a0123\u00a04567",
            "333\u200b123\u200b4567",
            "02/1234567",
        ),
        *("３３３１２３４５６７", "3️⃣3️⃣3️⃣1️⃣2️⃣3️⃣4️⃣5️⃣", "333 - 123 - 4567", "tel3331234567", "393331234567@c.us"),
        *("tre tre tre uno due tre quattro", "six one two, three four five, six seven eight"),
        *("seis uno dos tres cuatro cinco seis", "nove um dois três quatro cinco seis"),
    ],
    "email": [
        *("giulia.bianchi@example.com", "GIULIA+spa@posta.example.it", "giulia chiocciola example punto com"),
        *(
            "giulia.bianchi (at) example.com",
            "giulia.b(a)example.com",
            "giulia arroba example punto es",
            "giulia at example dot co.uk",
        ),
        *(
            "giulia @gmail.com",
            "giulia.de.bianchi @ posta.gmail.com",
            "giulia@ example.co.uk",
            "giulia@gmail .com",
        ),
        *(
            "Giulia @ example . it",
            "giulia @ example punto it",
            "giulia＠example.es",
            "giulia\u00a0@gmail.com.br",
        ),
    ],
    "iban": [
        *(
            "IT60X0542811101000000123456",
            "it60 x054 2811 1010 0000 0123 456",
            "ES91 2100 0418 4502 0005 1332",
        ),
        *("PT50000201231234567890154", "GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000"),
    ],
    "tax": [
        *("RSSMRA80A01H501U", "rss mra 80a01 h501 u", "IT 01234567890", "P.IVA 01234567890"),
        *("12345678Z", "12.345.678-Z", "X1234567L", "x-1234567-l", "B12345674", "ESB12345674"),
        *(
            "NIF 123 456 789",
            "PT123456789",
            "AB 12 34 56 C",
            "ab123456c",
            "QQ 12 34 56 C",
            "GB 123 4567 89",
            "UTR 12345 67890",
        ),
    ],
    "card": ["4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "3782 822463 10005"],
    "whatsapp": ["wamid.HBgMMzkzMzMxMjM0NTY3FQIAEhgUM0EBAA==", "IT.1A2B3C4D5E6F"],
    "name": [
        "mi chiamo Giulia Bianchi",
        "My name is Giulia Bianchi",
        "me llamo giulia",
        "o meu nome é Giulia",
    ],
    "file": ["data:audio/ogg;base64,T2dnUwACAAAAAAAAAAA=", "T2dn" * 80],
}
STAYS = [
    *(
        "Il massaggio dura 60 minuti e costa 65 €.",
        "2026-11-26T14:15:00.123456+01:00",
        "il 26/11/2026 alle 15:30",
    ),
    *("9.00-13.00, 15.00-19.00", "10.30 11.00 11.30 12.00", "Tavolo per 4 il 3.12.2026", "€ 1.234.567,00"),
    *(
        "costa 1.200,50 euro",
        "turn 12:345, thread 1:23",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "ticket 123456",
    ),
    *("one or two people, three at most", "vediamo alle cinque o alle sei", "see you at seven"),
    *(
        "generate:branch:to:reply",
        "https://example.com/listino",
        "v1.2.3",
        "sara 0.1.0",
        "1) 26/11/2026",
        "preventivo 2026/0042",
    ),
    *(
        "ci vediamo @ casa",
        "See you @ home. It was nice, @ noon.",
        "vemo-nos @ casa. Com a Ana",
        "2 @ 60.00 euro",
    ),
    *("scriveteci @studio_aurora", "tutto @ www.example.com", "info @reception, poi: it. es. pt."),
]


@pytest.mark.parametrize(("kind", "written"), [(kind, one) for kind, some in GONE.items() for one in some])
def test_it_is_gone_wherever_it_stands(kind: str, written: str) -> None:
    for around in ("{}", "ecco: {}.", "prima {} dopo", '{{"x": "{}"}}', "({})", "{}\n{}"):
        shown = text(around.format(written, written))
        assert "[" in shown
        secret = written.rsplit(maxsplit=1)[-1] if kind == "name" else written
        assert secret not in shown
        for word in (part for part in secret.replace("-", " ").split() if len(part) > 3):
            if any(character.isdigit() for character in word):
                assert word not in shown


@pytest.mark.parametrize("written", STAYS)
def test_what_is_no_persons_stays(written: str) -> None:
    assert text(written) == written
    assert Masker(["Giulia Bianchi"], ["393331234567"]).text(written) == written


@pytest.mark.parametrize(
    "written",
    [
        "giulia",
        "GIULIA BIANCHI",
        "Bianchi, Giulia",
        "Giúlia",
        "per Giulia.",
        "d'accordo Giulia!",
        "Giu\u0300lia",
    ],
)
def test_a_known_name_is_gone_in_every_spelling(written: str) -> None:
    shown = Masker(["Giulia De Bianchi"]).text(written).casefold()
    assert "lia" not in shown
    assert "bianchi" not in shown


def test_a_name_is_not_looked_for_inside_words_nor_are_its_particles() -> None:
    masker = Masker(["Rosa de la Vega", "Li", ""])
    assert masker.text("Il Rosario de la mattina, in centro e in vegana") == (
        "Il Rosario de la mattina, in centro e in vegana"
    )
    assert masker.text("Rosa, Vega e Li") == "[name], [name] e [name]"


class Mood(Enum):
    ANGRY = "chiamatemi al 333 1234567"


class Card(BaseModel):
    name: str
    note: Any = None


@dataclass
class Holder:
    card: Card
    sound: bytes


class Strange:
    """Something whose repr tells everything."""

    def __repr__(self) -> str:
        return "Strange(+39 333 1234567)"


def test_whole_structures_are_masked_keys_and_all() -> None:
    given = {
        "contact": {"name": "Giulia Bianchi", "visits": [{"service": "relax", "with": "Marta Verdi"}]},
        "event": {
            "sender": "+393331234567",
            "messages": [{"text": "sono Giulia", "place": {"latitude": 45.46}}],
        },
        "393331234567": [393331234567, ("Marta ti aspetta", Mood.ANGRY)],
        "held": Holder(Card(name="x", note={"Scrivi a giulia@example.com"}), b"\x00" * 12),
        "said": [
            HumanMessage(content=[{"type": "text", "text": "Bianchi"}]),
            AIMessage(content="ok, Giulia"),
        ],
        "strange": Strange(),
        "error": ValueError("Giulia Bianchi non esiste"),
        "at": datetime(2026, 11, 26, tzinfo=UTC),
        "path": Path("/tmp/Giulia/voce.ogg"),
        "service": {"name": "Massaggio relax"},
    }
    flat = plain(given)
    shown = json.dumps(masker_for(flat).plain(flat), ensure_ascii=False)
    for secret in ("giulia", "bianchi", "marta", "verdi", "333", "45.46", "\\u0000"):
        assert secret not in shown.casefold()
    for kept in (
        "Massaggio relax",
        "relax",
        "[12 bytes]",
        "<Strange>",
        "2026-11-26T00:00:00+00:00",
        "ti aspetta",
    ):
        assert kept in shown


def test_what_contains_itself_comes_to_an_end() -> None:
    loop: dict[str, Any] = {"phone": "333 1234567"}
    loop["again"] = [loop]
    assert "1234567" not in json.dumps(Masker().whole(loop))[:10_000]


def test_what_stands_in_many_places_is_masked_once() -> None:
    window = [{"text": "chiamami al 333 1234567"}]
    flat = plain([{"state": window} for _ in range(50)])
    masked = masker_for(flat).plain(flat)
    assert isinstance(masked, list)
    assert len({id(one["state"]) for one in masked}) == 1  # type: ignore[index,call-overload]
