"""What E5 has learnt: merged as it was meant, refused when damaged, and worth having."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.e5 import QUERY, E5Embedder
from inference.e5_int8 import Int8E5, kept_pieces
from inference.e5_packed import Floats, PackedE5, packaged_file, read_packed
from inference.e5_turn import FILE, MATRICES, Turn, read_turn
from inference.errors import ModelMissing
from inference.train import rows_hash
from inference.train_aim import DATA, read_rows
from inference.train_e5_rows import held_out

MESSAGES = (
    "Quanto costa un massaggio rilassante di un'ora?",
    "hi do u have a table for 4 tmrw at 8",
    "¿Puedo llevar a mi perro?",
    "queria saber se dá pra remarcar, porque minha filha ficou doente e não vou conseguir ir amanhã cedo",
)


@pytest.fixture(scope="module")
def turn() -> Turn:
    return read_turn()


@pytest.fixture(scope="module")
def model() -> PackedE5:
    return read_packed(packaged_file())


@pytest.mark.parametrize("name", [f"l11.{matrix}" for matrix in MATRICES])
def test_a_matrix_is_its_own_and_what_was_learnt(turn: Turn, model: PackedE5, name: str) -> None:
    own = model.matrix(name + ".w", model.inner if name.endswith("fo") else model.width)
    with np.load(FILE, allow_pickle=False) as stored:
        learnt = stored[name + ".b"].astype(np.float32) @ stored[name + ".a"].astype(np.float32)
        learnt *= float(stored["scale"])
    assert np.abs(learnt).max() > 0
    assert np.allclose(turn.turned(name, own), own + learnt, atol=1e-6)


def test_a_matrix_that_learnt_nothing_is_as_it_was(turn: Turn, model: PackedE5) -> None:
    own = model.matrix("l0.q.w", model.width)
    assert turn.turned("l0.q", own) is own


def in_numpy(model: PackedE5, turn: Turn, pieces: list[int]) -> Floats:
    """E5 as published (a BERT encoder, the mean of its last states), in floats."""

    def norm(x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + model.epsilon)
        return centred / spread * model.plain(name + ".w") + model.plain(name + ".b")

    def linear(x: Floats, name: str) -> Floats:
        columns = x.shape[1]
        return x @ turn.turned(name, model.matrix(name + ".w", columns)).T + model.plain(name + ".b")

    def heads(x: Floats) -> Floats:
        return x.reshape(len(x), model.heads, -1).transpose(1, 0, 2)

    places = model.plain("emb.pos").reshape(-1, model.width)[: len(pieces)]
    words = model.matrix("emb.word", model.width, pieces)
    x = norm(words + places + model.plain("emb.type")[: model.width], "emb.ln")
    for number in range(model.layers):
        of = f"l{number}."
        q, k, v = (heads(linear(x, of + part)) for part in "qkv")
        chance = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1]))
        seen = (chance / chance.sum(axis=-1, keepdims=True)) @ v
        x = norm(x + linear(seen.transpose(1, 0, 2).reshape(x.shape), of + "ao"), of + "aln")
        inner = linear(x, of + "fi")
        x = norm(x + linear(inner * normal_share(inner), of + "fo"), of + "oln")
    mean = x.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def normal_share(x: Floats) -> Floats:
    """The share of a normal distribution below x, to 1e-7 (Abramowitz and Stegun, 7.1.26)."""
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = series * np.exp(-z * z) / 2
    return np.where(x < 0, tail, 1 - tail)


@pytest.fixture(scope="module")
def engine(turn: Turn) -> Int8E5:
    return Int8E5(turn=turn)


@pytest.mark.parametrize("text", MESSAGES)
def test_at_8_bit_a_vector_is_that_of_the_floats(
    engine: Int8E5, turn: Turn, model: PackedE5, text: str
) -> None:
    pieces = engine.reads(QUERY + text)
    assert pieces is not None
    numbers = kept_pieces(model)
    whole = [model.bos, *(numbers[at] for at in pieces), model.eos]
    assert float(engine.encode([pieces])[0] @ in_numpy(model, turn, whole)) > 0.99


def test_a_message_and_a_passage_are_both_turned(engine: Int8E5) -> None:
    e5, text = E5Embedder(), "Si può pagare con la carta?"
    for vector, prefix in ((e5.query_now(text), "query: "), (e5.passages_now([text])[0], "passage: ")):
        pieces = engine.reads(prefix + text)
        assert pieces is not None
        assert np.allclose(vector, engine.encode([pieces])[0], atol=1e-4)


def test_each_turn_has_a_folder_of_its_own(tmp_path: Path, turn: Turn) -> None:
    Int8E5(tmp_path)
    Int8E5(tmp_path, turn=turn)
    plain, turned = sorted(folder.name for folder in tmp_path.iterdir())
    assert turned == f"{plain}-{turn.version}"


def _holding(**changed: object) -> dict[str, np.ndarray]:
    with np.load(FILE, allow_pickle=False) as stored:
        kept = {name: stored[name] for name in stored.files}
    return {name: np.asarray(array) for name, array in {**kept, **changed}.items() if array is not None}


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "e5_turn.npz"
    with pytest.raises(ModelMissing, match="missing or damaged"):
        read_turn(file)
    for content in (b"", b"no archive", FILE.read_bytes()[: FILE.stat().st_size // 2]):
        file.write_bytes(content)
        with pytest.raises(ModelMissing, match="reinstall"):
            read_turn(file)


@pytest.mark.parametrize(
    "changed",
    [
        {"scale": None},
        {"l11.q.a": None},
        {"l11.q.b": np.zeros((384, 3), np.float16)},
        {"l11.fi.a": np.full((16, 384), np.nan, np.float16)},
        {"l11.fo.a": np.zeros(16, np.float16)},
        {"l11.head.a": np.zeros((2, 384)), "l11.head.b": np.zeros((384, 2))},
        {"l11.q.a": np.array(["a", "b"])},
    ],
)
def test_a_file_without_a_and_b_of_each_matrix_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    np.savez(tmp_path / "e5_turn.npz", **_holding(**changed))
    with pytest.raises(ModelMissing, match="reinstall"):
        read_turn(tmp_path / "e5_turn.npz")


def test_a_turn_for_another_model_is_refused(tmp_path: Path, turn: Turn) -> None:
    narrow = (np.zeros((16, 100), np.float32), np.zeros((384, 16), np.float32))
    with pytest.raises(ModelMissing, match="another model"):
        Int8E5(tmp_path, turn=Turn("narrow", 1.0, {**turn.changes, "l11.q": narrow}))
    assert list(tmp_path.iterdir()) == []


def test_it_was_learnt_from_these_rows(turn: Turn) -> None:
    sidecar = json.loads(FILE.with_suffix(".json").read_text("utf-8"))
    assert sidecar["version"] == turn.version
    assert sidecar["embedder"] == E5Embedder.name
    assert sidecar["rows_sha256"] == rows_hash(DATA), "run `python -m inference.train_e5`"
    names = {row["business"] for row in read_rows(DATA) if row.get("passage")}
    assert sidecar["held_out"]["businesses"] == sum(map(held_out, names))


def test_what_was_held_out_is_found_more_often() -> None:
    held = json.loads(FILE.with_suffix(".json").read_text("utf-8"))["held_out"]
    for figure, before in held["before"].items():
        assert all(held["after"][figure][name] > share for name, share in before.items()), figure
    assert held["after"]["recall_at_3"]["all"] >= held["before"]["recall_at_3"]["all"] + 0.05


def test_the_file_is_small() -> None:
    assert FILE.stat().st_size < 4 * 2**20
