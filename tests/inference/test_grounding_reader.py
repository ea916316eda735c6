"""The second judge reads an answer beside its sources; its weights belong to their rows."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from inference import grounding
from inference.classify import WEIGHTS
from inference.errors import ModelMissing, WeightsCorrupt
from inference.grounding import Source, check
from inference.grounding_reader import (
    FLOOR,
    NAME,
    SOURCE_PIECES,
    Heads,
    Reader,
    Weighing,
    chosen,
    read_reader,
)

PARTS = (f"{NAME}.json", f"{NAME}.npz", f"{NAME}_turn.npz")
RULES = (
    "Dogs are welcome in the garden, not in the dining room. Guests of the hotel may leave their car free."
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(tmp_path_factory.mktemp("models"))


def test_a_lie_in_the_words_is_doubted_more_than_the_truth(reader: Reader) -> None:
    pairs = [
        ("Your dog can stay with you in the garden.", "Your dog can stay with you in the dining room."),
        ("Se dorme in hotel, il parcheggio è gratuito.", "Il parcheggio è gratuito per tutti."),
    ]
    for true, lie in pairs:
        honest, lying = (reader.doubt(said, [RULES]) for said in (true, lie))
        assert honest is not None
        assert lying is not None
        assert lying > honest, lie


def test_the_same_answer_is_read_the_same_each_time(reader: Reader) -> None:
    assert reader.doubt("Dogs may come.", [RULES]) == reader.doubt("Dogs may come.", [RULES])


def test_other_scripts_are_left_to_the_first_judge(reader: Reader) -> None:
    assert reader.doubt("Собаки ждут", [RULES]) is None
    assert reader.doubt("Dogs are welcome", ["Собаки"]) is None
    assert reader.refuses(-50.0, "Собаки", [RULES]) is None
    sources = [Source("1", RULES)]
    for answer in ("Собаки", "Собаки ждут вас"):
        alone, both = (check(answer, sources, "en", judge) for judge in (None, reader))
        assert both.supported == alone.supported


def test_a_word_in_another_script_is_left_out(reader: Reader) -> None:
    said = "Dogs are welcome in the garden."
    assert reader.doubt(f"{said} Мария", [RULES]) == reader.doubt(said, [RULES])
    assert reader.doubt(said, [RULES, "Salone Aurora Мария SARA"]) == reader.doubt(said, [RULES])


def test_of_too_many_sources_the_nearest_are_read(reader: Reader) -> None:
    engine = reader._ready()[0]
    far = [f"Room {n} has a view of the sea and a balcony with two chairs." for n in range(60)]
    assert engine.reads(" ".join(far)) is not None
    pieces = chosen(engine, "Is the garden open to dogs?", [*far, RULES])
    assert pieces is not None
    assert len(pieces) <= SOURCE_PIECES
    own = engine.reads(RULES)
    assert own is not None
    assert pieces[-len(own) :] == own
    assert chosen(engine, "Anything", [RULES, RULES]) == own + own
    long = chosen(engine, "Dogs?", ["dog " * 1000])
    assert long is not None
    assert len(long) == SOURCE_PIECES


def test_what_is_read_off_the_states() -> None:
    token, mean, first = np.zeros((3, 384), np.float32)
    token[0], mean[1], first[2] = 1.0, 2.0, 3.0
    states = np.zeros((6, 384), np.float32)
    states[1:4, 0] = [0.0, 5.0, 0.0]  # two pieces and the mark after them
    states[4, 0] = 99.0  # of the sources: not counted
    states[1:4, 1], states[0, 2] = 0.5, 0.25
    heads = Heads(token, -1.0, mean, first, 0.125)
    top = np.log(np.exp(-1.0) + np.exp(4.0) + np.exp(-1.0))
    assert heads.doubt(states, 2) == pytest.approx(top + 1.0 + 0.75 + 0.125, abs=1e-5)
    quiet = Heads(token, -1000.0, mean * 0, first * 0, 0.0)
    assert quiet.doubt(states, 2) == FLOOR


def test_both_judges_have_a_say() -> None:
    weighing = Weighing(1.0, 0.5, 0.0, -2.0)
    assert not weighing.refuses(1.0, 1.0, "Yes.")
    assert weighing.refuses(2.0, 1.0, "Yes.")
    assert weighing.refuses(1.0, 3.0, "Yes.")


def test_a_long_answer_is_doubted_more_before_it_is_refused() -> None:
    weighing = Weighing(1.0, 0.0, -1.0, 0.0)
    assert weighing.refuses(1.0, 0.0, "Yes.")
    assert not weighing.refuses(1.0, 0.0, "Yes, on Mondays and on Tuesdays.")


class Counted(Reader):
    """Counts what it is asked, and always refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def refuses(self, judged: float, answer: str, texts: Sequence[str]) -> bool:
        self.asked.append(answer)
        return True


@pytest.mark.parametrize(
    "answer",
    [
        "“Dogs are welcome in the garden, not in the dining room.”",
        "Hello Anna!",
        "A room costs £80.",
    ],
)
def test_it_is_not_asked_about_quotations_greetings_and_what_rules_refuse(answer: str) -> None:
    sources = [Source("d", RULES)]
    reader = Counted()
    check(answer, sources, "en", reader)
    assert reader.asked == []


def test_it_is_not_asked_where_the_judge_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grounding, "UNSURE", 0.0)
    reader = Counted()
    assert check("Dogs are welcome in the garden.", [Source("d", RULES)], "en", reader).supported
    assert reader.asked == []


def test_what_it_refuses_is_refused_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grounding, "UNSURE", 99.0)
    reader = Counted()
    report = check("Dogs are welcome in the garden.", [Source("d", RULES)], "en", reader)
    assert reader.asked == ["Dogs are welcome in the garden."]
    assert not report.supported
    assert report.unsupported[0].text == "Dogs are welcome in the garden."
    assert check("Dogs are welcome in the garden.", [Source("d", RULES)], "en").supported


@pytest.mark.parametrize("damaged", PARTS)
def test_missing_and_damaged_weights_say_what_to_do(tmp_path: Path, damaged: str) -> None:
    for part in PARTS:
        if part != damaged:
            shutil.copy(WEIGHTS / part, tmp_path)
    with pytest.raises(ModelMissing, match="run"):
        Reader(folder=tmp_path).warm_up()
    (tmp_path / damaged).write_bytes(b"no weights")
    with pytest.raises((ModelMissing, WeightsCorrupt), match="run"):
        Reader(folder=tmp_path).warm_up()


def test_heads_of_another_encoder_are_refused(tmp_path: Path) -> None:
    for part in PARTS:
        shutil.copy(WEIGHTS / part, tmp_path)
    narrow = np.zeros(100, np.float32)
    np.savez(tmp_path / f"{NAME}.npz", token=narrow, mean=narrow, first=narrow, token_bias=0.0, bias=0.0)
    with pytest.raises(WeightsCorrupt, match="another encoder"):
        Reader(folder=tmp_path).warm_up()


def test_it_was_learnt_from_these_rows_and_helps_on_those_held_out() -> None:
    from inference.train import rows_hash
    from inference.train_grounding import DATA, LIE, TURNS

    sidecar = json.loads((WEIGHTS / f"{NAME}.json").read_text("utf-8"))
    assert sidecar["version"] == read_reader()[0].version
    pairs = DATA.with_name("grounding_pairs.jsonl")
    assert sidecar["rows_sha256"] == [rows_hash(path) for path in (DATA, pairs, TURNS)], (
        "run `python -m inference.train_reader`"
    )
    # What the threshold makes least: a miss weighs LIE wrong refusals. It is there for lies that are in the
    # words alone; where the first judge sees as much, it takes nothing away.
    better = {
        name: held["false_block_first_alone"]
        - LIE * held["recall_first_alone"]
        - (held["false_block"] - LIE * held["recall"])
        for name, held in sidecar["held_out"].items()
    }
    assert better[pairs.stem] > 0.05
    assert min(better.values()) > -0.02
    assert sum(better.values()) > 0.05
    assert TURNS.stem in better


def test_no_pair_is_an_evaluation_row() -> None:
    from evals.suites import grounding as suite
    from inference.train_grounding import DATA

    judged = {row["answer"] for row in suite.every().rows}
    lines = DATA.with_name("grounding_pairs.jsonl").read_text("utf-8").splitlines()
    answers = {answer["answer"] for line in lines for answer in json.loads(line)["answers"]}
    assert len(answers) > 8000
    assert not judged & {answer for answer in answers if len(answer) > 40}
