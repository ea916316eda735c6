"""Every pack is whole in four languages, a wrong one names its line, and a business changes what it likes."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inference.lexicon import Lexicon
from knowledge.business_file import BusinessFile, BusinessFileError, load_business, seed_files
from knowledge.strict_yaml import LANGUAGES
from knowledge.vertical import (
    FOLDER,
    UnknownVertical,
    Unmergeable,
    VerticalError,
    load_pack,
    load_vertical,
    merged,
    verticals,
)
from sara import seed
from tools.lexicons import found

FOURTEEN = (
    "automotive", "beauty", "education", "fitness", "home_services", "hotel", "insurance", "legal", "medical",
    "real_estate", "restaurant", "retail", "travel", "wellness",
)  # fmt: skip
AURORA = next(path for path in seed_files() if path.stem == "aurora")


def broken(tmp_path: Path, old: str, new: str, name: str = "automotive") -> tuple[Path, list[str]]:
    """A copy of a pack with one change, and its lines."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    path = tmp_path / f"{name}.yaml"
    path.write_text(changed, encoding="utf-8")
    return path, changed.splitlines()


def overriding(tmp_path: Path, pack: str, *, vertical: str = "wellness") -> Path:
    """Aurora's file with `pack:` lines of its own."""
    text = AURORA.read_text(encoding="utf-8").replace("vertical: wellness", f"vertical: {vertical}")
    path = tmp_path / "aurora.yaml"
    path.write_text(f"{text}\npack:\n{pack}", encoding="utf-8")
    return path


def texts_of(value: Any) -> list[str]:
    """Every text of a pack, however deep."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
    return [text for item in items for text in texts_of(item)]


def test_the_fourteen_verticals() -> None:
    assert verticals() == FOURTEEN


@pytest.mark.parametrize("name", FOURTEEN)
def test_a_pack_is_whole(name: str) -> None:
    pack = load_vertical(name)
    assert 3 <= len(pack.lead) <= 5
    assert 2 <= sum(question.required for question in pack.lead.values()) <= 4
    assert len(pack.topics) >= 2
    assert len(pack.disclaimers) >= 1
    assert len(pack.services) >= 5
    assert len({pack.queue.names[language] for language in LANGUAGES}) >= 2
    for language in LANGUAGES:
        assert 3 <= len(pack.words.prefer[language]) <= 8
        assert 3 <= len(pack.words.avoid[language]) <= 8
        assert "{business}" in pack.persona[language]
    values = pack.model_dump(mode="json")
    assert all(text == text.strip() and "  " not in text for text in texts_of(values))


@pytest.mark.parametrize("name", FOURTEEN)
def test_every_language_has_sentences_of_its_own(name: str) -> None:
    pack = load_vertical(name)
    sentences = [pack.persona, pack.tone, *(question.ask for question in pack.lead.values())]
    sentences += [q.ask for questions in pack.required.values() for q in questions.values()]
    sentences += [disclaimer.text for disclaimer in pack.disclaimers.values()]
    for sentence in sentences:
        assert set(sentence) == set(LANGUAGES)
        assert len(set(sentence.values())) == 4, sentence


def test_no_two_trades_ask_or_warn_alike() -> None:
    """A pack is written for its trade: no sentence of tone or disclaimer is another's with words swapped."""
    tones = [load_vertical(name).tone[language] for name in FOURTEEN for language in LANGUAGES]
    warnings = [
        d.text[language]
        for name in FOURTEEN
        for d in load_vertical(name).disclaimers.values()
        for language in LANGUAGES
    ]
    assert len(set(tones)) == len(tones)
    assert len(set(warnings)) == len(warnings)


@pytest.mark.parametrize("name", FOURTEEN)
def test_the_words_of_topics_and_disclaimers_compile(name: str) -> None:
    pack = load_vertical(name)
    lists = [topic.words for topic in pack.topics.values()]
    lists += [d.about for d in pack.disclaimers.values() if d.about]
    for phrases in lists:
        for language in LANGUAGES:
            assert Lexicon.compile(phrases[language]).phrases is not None


@pytest.mark.parametrize("name", FOURTEEN)
def test_every_phrase_finds_its_own_words(name: str) -> None:
    """A lexicon takes a word for another's typing error: no phrase may lose its words to a neighbour."""
    pack = load_vertical(name)
    lists = [topic.words for topic in pack.topics.values()]
    lists += [d.about for d in pack.disclaimers.values() if d.about]
    for phrases, language in itertools.product(lists, LANGUAGES):
        for phrase in phrases[language]:
            for ending in ("a", "o", "e") if "*" in phrase else ("",):
                words = [word.split("|")[0].replace("*", ending) for word in phrase.split() if word != "_"]
                assert found(phrases, " ".join(words)), (phrase, words)


@pytest.mark.parametrize(
    ("name", "topic", "text"),
    [
        ("medical", "after_extraction", "Ho la guancia gonfia da ieri, è normale?"),
        ("medical", "after_extraction", "my jaw is swollen three days after the extraction"),
        ("medical", "after_extraction", "me sangra mucho la encía"),
        ("medical", "after_extraction", "estou a sangrar do dente desde ontem"),
        ("medical", "after_extraction", "tenho a gengiva inchada depois da extração"),
        ("automotive", "not_safe_to_drive", "da stamattina non frena bene"),
        ("automotive", "not_safe_to_drive", "há fumo a sair do motor"),
        ("home_services", "gas", "c'è odore di gas in cucina"),
        ("home_services", "gas", "hay olor a gas en la escalera"),
        ("restaurant", "severe_allergy", "I'm allergic to peanuts"),
        ("restaurant", "severe_allergy", "mia figlia è allergica alle arachidi"),
        ("insurance", "am_i_covered", "am I covered if my bike is stolen?"),
        ("legal", "served_document", "ieri mi è stato notificato un atto"),
        ("legal", "served_document", "recebi uma citação judicial"),
        ("real_estate", "price_offer", "¿el precio es negociable?"),
        ("travel", "stranded", "I lost my passport in Rome"),
        ("hotel", "theft", "me han robado el móvil"),
        ("retail", "parcel_lost", "o pacco è mai arrivato"),
        ("beauty", "skin_or_scalp_reaction", "the bleach burned my scalp"),
        ("fitness", "leaving_the_contract", "quiero darme de baja"),
        ("education", "withdrawal", "vorrei il rimborso del corso"),
    ],
)  # fmt: skip
def test_topics_for_humans_are_recognised(name: str, topic: str, text: str) -> None:
    assert found(load_vertical(name).topics[topic].words, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("medical", "Vorrei prenotare una pulizia dei denti per giovedì"),
        ("legal", "Quanto costa la prima consulenza? Sin embargo prefiero en persona. A senhora atende?"),
        ("wellness", "Perdone la molestia, ¿tenéis parking?"),
        ("home_services", "there is parking in front of the house"),
        ("restaurant", "A table for four tonight, one of us is vegetarian"),
        ("real_estate", "Vorrei vedere l'appartamento di via Orti"),
        ("education", "há passeio de estudo no domingo?"),
    ],
)
def test_ordinary_words_are_no_topic(name: str, text: str) -> None:
    for key, topic in load_vertical(name).topics.items():
        assert found(topic.words, text) == (), key


@pytest.mark.parametrize(
    ("old", "new", "line_holds", "reason"),
    [
        ("    type: yes_no\n", "    type: yesno\n", "type: yesno", "'yes_no'"),
        ("    required: true\n", "    required: yes\n", "required: yes", "valid boolean"),
        ("    required: true\n", "    requird: true\n", "requird: true", "is not a key of a vertical pack"),
        ("    order: 2\n", "    order: 1\n", "lead:", "the same `order`"),
        ("    order: 2\n", '    order: "2"\n', 'order: "2"', "valid integer"),
        ("tone:\n", "tone:\n  fr: Concret.\n", "fr: Concret.", "'it', 'en', 'es' or 'pt'"),
        ("kind: legal", "kind: tax", "kind: tax", "'legal'"),
        ("said: quote", "said: sometimes", "said: sometimes", "'first_answer'"),
        ("said: quote", "said: about", "estimate_until_seen:", "give both, or neither"),
        ("constatazione amichevole", "l'assicurazione", "l'assicurazione", "without signs"),
        ("bookable: true", "bookable: maybe", "bookable: maybe", "valid boolean"),
        ("queue:\n", "qeue:\n", "qeue:", "is not a key of a vertical pack"),
        ("  key: service_desk", "  key: Service Desk", "key: Service Desk", "small letters"),
        ("tone:\n", "intents: {book: false}\ntone:\n", "intents:", "'book_appointment'"),
        ("tone:\n", "sensitive: {thresholds: {legal: 4}}\ntone:\n", "sensitive:", "less than or equal to 1"),
        ("{it: formal", "{it: Formal", "{it: Formal", "'informal' or 'formal'"),
        ("{it: formal", "{fr: formal", "{fr: formal", "'it', 'en', 'es' or 'pt'"),
        ("tone:\n", "tone: &t\n", "tone: &t", ""),
        ("tone:\n", "persona: {}\ntone:\n", "persona: {}", "written twice"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, old: str, new: str, line_holds: str, reason: str) -> None:
    path, lines = broken(tmp_path, old, new)
    if not reason:  # an anchor that nothing refers to changes nothing
        assert load_pack(path) == load_vertical("automotive")
        return
    with pytest.raises(VerticalError) as caught:
        load_pack(path)
    assert reason in caught.value.reason
    assert line_holds in lines[caught.value.line - 1]
    assert str(caught.value) == f"{path}:{caught.value.line}: {caught.value.reason}"


def test_a_language_that_is_missing_is_named(tmp_path: Path) -> None:
    text = (FOLDER / "hotel.yaml").read_text(encoding="utf-8")
    changed = re.sub(r"\n      pt: Em que dia chega\?", "", text)
    assert changed != text
    (tmp_path / "hotel.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(VerticalError, match=r"lead\.arrival\.ask`: lacks pt") as caught:
        load_pack(tmp_path / "hotel.yaml")
    assert changed.splitlines()[caught.value.line - 1].strip() == "ask:"


def test_options_belong_to_choices_and_fit_on_buttons(tmp_path: Path) -> None:
    long = "it: Comprare, en: Buy it as soon as I possibly can"
    path, _ = broken(tmp_path, "it: Comprare, en: Buy", long, "real_estate")
    with pytest.raises(VerticalError, match="at most 20 characters"):
        load_pack(path)
    path, _ = broken(tmp_path, "    type: choice\n", "    type: text\n", "real_estate")
    with pytest.raises(VerticalError, match="only a choice has `options`"):
        load_pack(path)
    path, _ = broken(tmp_path, "    type: text\n", "    type: choice\n")
    with pytest.raises(VerticalError, match="at least two `options`"):
        load_pack(path)


def test_an_unknown_vertical_is_told_which_there_are() -> None:
    with pytest.raises(UnknownVertical, match="automotive, beauty"):
        load_vertical("astrology")


def test_a_pack_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_vertical("hotel").queue.key = "bar"  # type: ignore[misc]


def test_merging_keeps_replaces_and_removes() -> None:
    pack = {"a": {"x": 1, "y": [1, 2]}, "b": "kept", "c": "gone"}
    result = merged(pack, {"a": {"y": [3], "z": {"new": True}}, "c": None})
    assert result == {"a": {"x": 1, "y": [3], "z": {"new": True}}, "b": "kept"}
    assert pack == {"a": {"x": 1, "y": [1, 2]}, "b": "kept", "c": "gone"}
    with pytest.raises(Unmergeable, match=r"`a\.w` is not in the pack"):
        merged(pack, {"a": {"w": None}})
    with pytest.raises(Unmergeable, match="`key: value` lines"):
        merged(pack, ["a"])


@pytest.mark.parametrize("path", seed_files(), ids=lambda path: path.stem)
def test_seeded_businesses_have_their_vertical(path: Path) -> None:
    business = load_business(path)
    assert business.pack.lead == load_vertical(business.vertical).lead
    assert set(business.personas) == set(LANGUAGES)
    assert business.personas[business.languages[0]] == business.persona[business.languages[0]]


def own(tmp_path: Path, pack: str, **more: Any) -> BusinessFile:
    return load_business(overriding(tmp_path, pack, **more))


@pytest.mark.parametrize("name", FOURTEEN)
def test_own_sentences_address_customers_as_the_persona_does(name: str) -> None:
    pack = load_vertical(name)
    assert (pack.address.get("it") == "formal") == ("Dai del lei" in pack.persona["it"])
    assert (pack.address.get("es") == "formal") == ("Tratas de usted" in pack.persona["es"])


def test_demo_businesses_address_customers_as_their_persona_does() -> None:
    formal = {path.stem: seed.entry_of(load_business(path)).pack.formal for path in seed_files()}
    assert formal == {"aurora": [], "conti": ["es", "it"], "costa-azul": ["es", "it"]}


def test_a_business_addresses_customers_its_own_way(tmp_path: Path) -> None:
    business = own(tmp_path, "  address: {it: informal, pt: formal}\n", vertical="medical")
    assert seed.pack_of(business.pack).formal == ["es", "pt"]
    assert seed.pack_of(own(tmp_path, "  address: {it: formal}\n").pack).formal == ["it"]


def test_a_business_changes_one_key_and_keeps_the_rest(tmp_path: Path) -> None:
    business = own(
        tmp_path, "  lead:\n    people: {required: false}\n    period: null\n  tone: {it: A bassa voce.}\n"
    )
    assert list(business.pack.lead) == ["occasion", "people"]
    assert business.pack.lead["people"].required is False
    assert business.pack.lead["people"].ask == load_vertical("wellness").lead["people"].ask
    assert business.pack.tone["it"] == "A bassa voce."
    assert business.pack.tone["en"] == load_vertical("wellness").tone["en"]


def test_lists_are_replaced_and_topics_removed(tmp_path: Path) -> None:
    business = own(tmp_path, "  topics: {conduct_of_staff: null}\n  words: {avoid: {it: [cura]}}\n")
    assert list(business.pack.topics) == ["reaction_after_treatment"]
    assert business.pack.words.avoid["it"] == ("cura",)


def test_an_intent_is_switched_off(tmp_path: Path) -> None:
    assert own(tmp_path, "  intents: {request_quote: false}\n").pack.off == ["request_quote"]


@pytest.mark.parametrize(
    ("pack", "line_holds", "reason"),
    [
        ("  lead:\n    people: {type: crowd}\n", "people: {type: crowd}", "`pack.lead.people.type`"),
        ("  lead:\n    peple: {required: false}\n", "peple:", "`pack.lead.peple.ask` is missing"),
        ("  lead:\n    peple: null\n", "peple: null", "there is nothing to remove"),
        ("  tone: {it: null}\n", "tone: {it: null}", "lacks it"),
        ("  address: {it: stern}\n", "address: {it: stern}", "`pack.address.it`"),
        ("  queue: null\n", "queue: null", "`pack.queue` is missing"),
        ("  colour: blue\n", "colour: blue", "is not a key of"),
        ("  topics:\n    noise: {kind: policy}\n", "noise:", "`pack.topics.noise.words` is missing"),
    ],
)
def test_a_wrong_override_is_named_where_the_business_wrote_it(
    tmp_path: Path, pack: str, line_holds: str, reason: str
) -> None:
    path = overriding(tmp_path, pack)
    with pytest.raises(BusinessFileError) as caught:
        load_business(path)
    assert reason in caught.value.reason
    assert line_holds in path.read_text(encoding="utf-8").splitlines()[caught.value.line - 1]


def test_pack_must_hold_keys(tmp_path: Path) -> None:
    with pytest.raises(BusinessFileError, match="`key: value` lines"):
        load_business(overriding(tmp_path, "  [tone]\n"))


def test_own_persona_and_thresholds_come_before_the_packs(tmp_path: Path) -> None:
    path = overriding(tmp_path, "  tone: {it: Piano.}\n", vertical="medical")
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "sensitive: {thresholds: {medical: 0.9}}\n", encoding="utf-8")
    business = load_business(path)
    assert business.thresholds == {"medical": 0.9, "emergency": 0.3}
    assert business.personas["it"].startswith("Sei SARA, l'assistente di Aurora")
    assert business.personas["pt"].startswith("És a SARA e respondes pela Aurora Centro Benessere")


def test_a_business_without_persona_speaks_as_its_trade(tmp_path: Path) -> None:
    text = AURORA.read_text(encoding="utf-8")
    start, end = text.index("persona:"), text.index("house_rules:")
    path = tmp_path / "aurora.yaml"
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    assert load_business(path).personas["it"].startswith("Sei SARA e rispondi per Aurora Centro Benessere")


def test_a_typical_service_need_not_be_written_out(tmp_path: Path) -> None:
    service = 'services:\n  - {key: facial, price: "60.00", price_unit: session, locations: [milano]}\n'
    text = AURORA.read_text(encoding="utf-8").replace("services:\n", service, 1)
    text = text.replace("    skills: [viso_idratante,", "    skills: [facial, viso_idratante,", 1)
    path = tmp_path / "aurora.yaml"
    path.write_text(
        text.replace("it: [pulizia viso, trattamento viso, viso", "it: [pulizia viso, viso", 1).replace(
            "en: [facial, face treatment]", "en: [face treatment]", 1
        ),
        encoding="utf-8",
    )
    facial = load_business(path).services[0]
    assert (facial.names["it"], facial.duration_minutes, facial.bookable) == ("Trattamento viso", 60, True)


def test_a_wrong_vertical_is_all_that_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BusinessFileError, match="write one of 'automotive'"):
        load_business(overriding(tmp_path, "  lead: {x: null}\n", vertical="astrology"))
