"""An event of the past is no emergency; one of now is, whatever else is said of the past beside it."""

import pytest

from inference.lexicon import WordSpotter

NOW = [
    "I was with you last month. My dad just had a stroke",
    "Hi, we booked last month, my husband just had a heart attack",
    "my mum had a stroke, we came two years ago",
    "my dad had a stroke, booked with you last month, what do I do",
    "we came two years ago, my dad had a heart attack",
    "my dad had a stroke ten minutes ago",
    "Sono venuto il mese scorso, mio padre ha avuto un infarto adesso",
    "mio marito ha avuto un ictus, siamo venuti due anni fa",
    "siamo venuti due anni fa, mio padre ha avuto un infarto",
    "mio padre ha avuto un infarto dieci minuti fa",
    "a mi padre le dio un infarto, reservé el mes pasado",
    "mi padre tuvo un infarto hace una hora",
    "o meu marido teve um avc, marquei no mês passado",
    "o meu pai teve um enfarte há 20 minutos",
]
PAST = [
    "Mia madre ha avuto un ictus due anni fa, può fare il massaggio?",
    "Ho avuto un infarto l'anno scorso",
    "Nel 2021 ho avuto un infarto",
    "due anni fa ho avuto un infarto",
    "I had a heart attack two years ago",
    "My mum had a stroke last year, is there a lift?",
    "two years ago I had a stroke",
    "I had a seizure in 2019",
    "Tuve un infarto hace dos años",
    "Mi madre tuvo un ictus el año pasado",
    "hace 3 años me dio un infarto",
    "Tive um enfarte há dois anos",
    "A minha mãe teve um AVC o ano passado",
    "em 2019 tive um enfarte",
]


@pytest.fixture(scope="module")
def spotter() -> WordSpotter:
    return WordSpotter.load()


@pytest.mark.parametrize("text", NOW)
def test_what_happens_now_is_an_emergency(spotter: WordSpotter, text: str) -> None:
    assert spotter.find(text).emergency


@pytest.mark.parametrize("text", PAST)
def test_what_is_years_past_is_none(spotter: WordSpotter, text: str) -> None:
    assert not spotter.find(text).emergency
