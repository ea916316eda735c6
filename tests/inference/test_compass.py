"""From a message's vector to the vector that finds what answers it."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from inference import train_aim
from inference.classify import WEIGHTS
from inference.compass import COMMON_SHARE, Aim, Compass, take_compass
from inference.compass_sentences import MESSAGES, PASSAGES
from inference.duet import DuetEmbedder
from inference.e5 import E5Embedder
from inference.errors import ModelMissing, WeightsCorrupt
from inference.train_e5_rows import held_out


@pytest.fixture(scope="module")
async def compass() -> Compass:
    return await take_compass(DuetEmbedder())


def test_every_language_has_the_same_sentences() -> None:
    assert {len(texts) for texts in PASSAGES.values()} == {len(PASSAGES["it"])}
    assert len(set(MESSAGES)) > len(MESSAGES) - 4  # "Como funciona?" is said in two languages


async def test_without_an_aim_only_the_common_is_taken_out() -> None:
    plain = await take_compass(E5Embedder())
    asked = np.ones(384, dtype=np.float32)
    assert plain.aim is None
    assert np.allclose(plain.telling(asked), asked - COMMON_SHARE * plain.message)
    assert plain.sureness(12.0, 0.83) == 0.83
    assert plain.sureness(12.0, 1.2) == 1.0


async def test_the_aim_turns_a_little(compass: Compass) -> None:
    asked = await DuetEmbedder().query("Quanto costa il percorso spa?")
    bare = asked - COMMON_SHARE * compass.message
    told = compass.telling(asked)
    cosine = float(bare @ told / np.linalg.norm(bare) / np.linalg.norm(told))
    assert 0.5 < cosine < 0.999


async def test_a_higher_rank_is_surer(compass: Compass) -> None:
    sure = [compass.sureness(rank, 0.0) for rank in (-1e9, 0.0, 0.1, 0.2, 0.3, 1e9)]
    assert sure == sorted(sure)
    assert 0 <= sure[0] < 0.05
    assert 0.95 < sure[-1] <= 1


async def test_an_unknown_language_has_the_mean_of_the_known(compass: Compass) -> None:
    assert np.allclose(compass.common("fr"), np.mean([compass.common(code) for code in PASSAGES], axis=0))


def test_damaged_or_missing_weights_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="reinstall"):
        Aim.load(tmp_path)
    for name in ("aim.json", "aim.npz"):
        shutil.copy(WEIGHTS / name, tmp_path / name)
    (tmp_path / "aim.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(WeightsCorrupt, match="train_aim"):
        Aim.load(tmp_path)


def test_weights_were_trained_on_these_rows() -> None:
    sidecar = json.loads((WEIGHTS / "aim.json").read_text("utf-8"))
    assert sidecar["rows_sha256"] == hashlib.sha256(train_aim.DATA.read_bytes()).hexdigest(), (
        "run `python -m inference.train_aim`"
    )
    aim = Aim.load()
    assert aim.down.shape == (sidecar["dimensions"], sidecar["rank"]) == aim.up.T.shape


def test_training_is_reproducible(tmp_path: Path) -> None:
    rows = train_aim.read_rows(train_aim.DATA)
    # Of those with questions nothing answers: one to learn from, and one that tells how sure a rank is.
    whole = sorted({row["business"] for row in rows if not row.get("passage")})
    some = [next(name for name in whole if held_out(name) is out) for out in (False, True)]
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows if row["business"] in some))

    first = train_aim.train(data, tmp_path)
    one = Aim.load(tmp_path)
    second = train_aim.train(data, tmp_path)
    other = Aim.load(tmp_path)

    assert first == second
    assert first["slope"] > 0
    assert np.array_equal(one.down, other.down)
    assert np.array_equal(one.up, other.up)


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    data = tmp_path / "pairs.jsonl"
    data.write_text('{"business": "x"}\n')
    with pytest.raises(ValueError, match=r"pairs\.jsonl:1"):
        train_aim.read_rows(data)


async def test_words_count_as_much_when_a_text_is_known_already(compass: Compass) -> None:
    texts = [
        "Abbiamo un ombrello per gli ospiti.",
        "",
        "Il parcheggio è gratuito.",
        "Umbrellas and slippers.",
    ]
    first = compass.shares("Avete un ombrello?", texts)
    assert first[0] == max(first) > first[3] > first[2] >= first[1] == 0
    assert np.array_equal(compass.shares("Avete un ombrello?", texts), first)
    assert np.allclose(compass.shares("Avete un ombrello?", texts[::-1]), first[::-1])
    assert not compass.shares("Avete un ombrello?", ["", "…"]).any()
