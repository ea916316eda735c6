"""Teach E5 to read an answer beside its sources: `python -m inference.train_reader` rewrites
data/weights/grounding_reader*.

LoRA on the upper layers, as `inference.train_e5` has it, over `<s> answer </s></s> sources </s>`; an answer's
logit is the soft maximum over its pieces, so that one word can make it a lie, with a share of the mean and of
the first state. Rows are those of the first judge and those of data/grounding_pairs.jsonl, whose lies are
mostly in the words. One business in six is never learnt from: on those the two judges' logits are weighed,
the first's from networks that saw none of the business. Half an hour on two cores.

Then it learns further (`further` goes on from there) from data/grounding_turns.jsonl, what a model writes in
a turn, among as many of the other rows: a quarter of an hour. And at last (`last` does that alone) from the
short answers of data/grounding.jsonl, those of turns and a few thousand others: half an hour.

Needs jax and optax, the dependency group `turning`; nothing else imports this.
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from inference.classify import WEIGHTS
from inference.e5_int8 import Int8E5, kept_pieces
from inference.e5_packed import PackedE5, packaged_file, read_packed
from inference.e5_turn import MATRICES, version_of
from inference.grounding_reader import ANSWER_PIECES, FLOOR, NAME, Reader, chosen
from inference.train import rows_hash
from inference.train_e5 import Weights, embedded, frozen, save_turn, through, unlearnt
from inference.train_e5_rows import held_out
from inference.train_grounding import DATA, TURNS, read_pairs, read_rows
from inference.train_weighing import first_judge, weighed

PAIRS = DATA.with_name("grounding_pairs.jsonl")
# Pairs of like length are computed together, padded to one of these.
_LENGTHS = (48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 320, 384)
_TOGETHER = 4096
_WIDTH = 384

States = list[NDArray[np.float16]]


@dataclass(frozen=True)
class Recipe:
    """The training's settings; `dropped` is the share of pieces that are not seen."""

    layers: int = 6
    rank: int = 16
    epochs: int = 4
    step: float = 1.2e-3
    dropped: float = 0.05
    decay: float = 0.01
    seed: int = 0


FURTHER = Recipe(epochs=3, step=6e-4, seed=1)
LAST = Recipe(epochs=2, step=5e-4, seed=2)
_OTHERS = 4000  # rows of the last part that are neither short answers nor of turns
_SHORT = re.compile(r"p[a-k]")  # how the ids of short answers begin


@dataclass(frozen=True)
class Pair:
    """An answer with its sources as pieces; the first `answer` + 2 are `<s>`, the answer and `</s>`."""

    pieces: list[int]
    answer: int
    lie: float


def cut(rows: Sequence[dict[str, Any]], model: PackedE5) -> list[Pair]:
    """The rows as the reader sees them. Raises ValueError for a row with letters of another script."""
    engine, numbers, pairs = Int8E5(), kept_pieces(model), []
    for row in rows:
        first = engine.reads(row["answer"])
        second = chosen(engine, row["answer"], row["passages"])
        if first is None or second is None:
            raise ValueError(f"{row['id']}: letters of another script")
        own, told = ([numbers[at] for at in part] for part in (first[:ANSWER_PIECES], second))
        pieces = [model.bos, *own, model.eos, model.eos, *told, model.eos]
        pairs.append(Pair(pieces, len(own), 0.0 if row["supported"] else 1.0))
    return pairs


def groups(
    lengths: Sequence[int], random: np.random.Generator | None = None
) -> list[tuple[int, NDArray[np.int_]]]:
    """Which pairs go together, and the length they are padded to; shuffled with a `random`."""
    size = [next(one for one in _LENGTHS if one >= length) for length in lengths]
    luck = [random.random() if random is not None else 0.0 for _ in lengths]
    order = sorted(range(len(lengths)), key=lambda at: (size[at], luck[at]))
    made: list[tuple[int, list[int]]] = []
    for at in order:
        if not made or made[-1][0] != size[at] or len(made[-1][1]) >= _TOGETHER // size[at]:
            made.append((size[at], []))
        made[-1][1].append(at)
    if random is not None:
        random.shuffle(made)
    return [(length, np.array(some)) for length, some in made]


class PairEncoder:
    """E5 in two parts: `states` runs the layers that stay, `slope` those that learn, and the heads."""

    def __init__(self, model: PackedE5, learning: int, dropped: float) -> None:
        below = model.layers - learning
        self._model, self._dropped = model, dropped
        self._lower, self._upper = frozen(model, range(below)), frozen(model, range(below, model.layers))
        self._run_lower = jax.jit(lambda x, mask: through(model, self._lower, None, x, mask))
        self._slope = jax.jit(jax.value_and_grad(self._loss))

    def states(self, pairs: Sequence[Pair]) -> States:
        """What the lower layers make of each pair; (pieces, width) at half precision."""
        made: States = [np.empty((0, 0), np.float16)] * len(pairs)
        for length, some in groups([len(pair.pieces) for pair in pairs]):
            x, mask = embedded(self._model, [pairs[at].pieces for at in some], _TOGETHER // length, length)
            done = np.asarray(self._run_lower(x, mask))
            for row, at in enumerate(some):
                made[at] = done[row, : len(pairs[at].pieces)].astype(np.float16)
        return made

    def _logits(self, learnt: Weights, upper: list[Weights], x: Any, mask: Any, own: Any) -> Any:
        states = through(self._model, upper, learnt["turn"], x.astype(jnp.float32), mask)
        each = jnp.where(own > 0, states @ learnt["token"] + learnt["token_bias"], -1e9)
        mean = (states * own[..., None]).sum(1) / jnp.maximum(own.sum(1, keepdims=True), 1)
        top = jnp.maximum(jax.nn.logsumexp(each, axis=1), FLOOR)
        return top + mean @ learnt["mean"] + states[:, 0] @ learnt["first"] + learnt["bias"]

    def _loss(
        self, learnt: Weights, upper: list[Weights], x: Any, mask: Any, own: Any, lies: Any, key: Any
    ) -> Any:
        """`lies` is -1 where a row is only there to fill the array."""
        kept = jax.random.bernoulli(key, 1 - self._dropped, x.shape[:2])
        logits = self._logits(learnt, upper, x * kept[..., None].astype(x.dtype), mask, own)
        each = optax.sigmoid_binary_cross_entropy(logits, jnp.maximum(lies, 0))
        return (each * (lies >= 0)).sum() / jnp.maximum((lies >= 0).sum(), 1)

    def slope(self, learnt: Weights, pairs: Sequence[Pair], states: States, length: int, key: Any) -> Any:
        """The loss of some pairs and its gradient."""
        lies = np.full(_TOGETHER // length, -1, np.float32)
        lies[: len(pairs)] = [pair.lie for pair in pairs]
        return self._slope(learnt, self._upper, *_padded(pairs, states, length), lies, key)


def _padded(pairs: Sequence[Pair], states: States, length: int) -> tuple[Any, Any, Any]:
    rows = _TOGETHER // length
    x = np.zeros((rows, length, _WIDTH), np.float16)
    mask, own = np.zeros((rows, length), bool), np.zeros((rows, length), np.float32)
    for row, (pair, state) in enumerate(zip(pairs, states, strict=True)):
        x[row, : len(state)], mask[row, : len(state)], own[row, 1 : pair.answer + 2] = state, True, 1
    return x, mask, own


def begun(model: PackedE5, recipe: Recipe) -> Weights:
    """Nothing learnt yet: E5 as it was, heads near zero, few answers doubted."""
    random = np.random.default_rng(recipe.seed)
    turn = unlearnt(model, recipe.layers, recipe.rank, random)
    heads = {
        name: jnp.asarray(random.normal(0, 0.02, _WIDTH), jnp.float32) for name in ("token", "mean", "first")
    }
    return {"turn": turn, **heads, "token_bias": jnp.array(-3.0), "bias": jnp.array(0.0)}


def learn(
    encoder: PairEncoder,
    learnt: Weights,
    pairs: Sequence[Pair],
    states: States,
    recipe: Recipe,
    tell: Callable[[str], None],
) -> Weights:
    """What is learnt from the pairs, in an order that is random and always the same."""
    random, key = np.random.default_rng(recipe.seed), jax.random.PRNGKey(recipe.seed)
    lengths = [len(pair.pieces) for pair in pairs]
    steps = recipe.epochs * len(groups(lengths))
    pace = optax.warmup_cosine_decay_schedule(0.0, recipe.step, max(1, steps // 20), steps)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(pace, weight_decay=recipe.decay))
    memory, change = adam.init(learnt), jax.jit(adam.update)
    for epoch in range(recipe.epochs):
        losses = []
        for length, some in groups(lengths, random):
            key, one = jax.random.split(key)
            given = [pairs[at] for at in some], [states[at] for at in some]
            loss, gradient = encoder.slope(learnt, *given, length, one)
            updates, memory = change(gradient, memory, learnt)
            learnt = optax.apply_updates(learnt, updates)
            losses.append(float(loss))
        tell(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
    return learnt


def save(learnt: Weights, model: PackedE5, folder: Path) -> None:
    """Writes grounding_reader_turn.npz and grounding_reader.npz, which `inference.grounding_reader` reads."""
    save_turn(learnt["turn"], model, folder / f"{NAME}_turn.npz")
    heads = {name: np.asarray(value, np.float32) for name, value in learnt.items() if name != "turn"}
    np.savez_compressed(folder / f"{NAME}.npz", **heads)  # type: ignore[arg-type]


def train(
    tell: Callable[[str], None], folder: Path = WEIGHTS, recipe: Recipe | None = None
) -> dict[str, Any]:
    """Trains, all three parts, writes weights and sidecar, and returns the sidecar."""
    recipe, model = recipe or Recipe(), read_packed(packaged_file())
    rows = _to_learn([*_rows(short=False), *read_pairs(PAIRS)])
    save(_learnt(model, begun(model, recipe), rows, recipe, tell), model, folder)
    return further(tell, folder)


def further(tell: Callable[[str], None], folder: Path = WEIGHTS, recipe: Recipe = FURTHER) -> dict[str, Any]:
    """Goes on from the weights in the folder, to the end; writes weights and sidecar, and returns it."""
    turns, others = _to_learn(read_pairs(TURNS)), _to_learn([*_rows(short=False), *read_pairs(PAIRS)])
    _goes_on([*turns, *_some(others, len(turns), recipe)], tell, folder, recipe)
    return last(tell, folder)


def last(tell: Callable[[str], None], folder: Path = WEIGHTS, recipe: Recipe = LAST) -> dict[str, Any]:
    """The last part alone, from the weights in the folder; else as `further`."""
    turns, others = _to_learn(read_pairs(TURNS)), _to_learn([*_rows(short=False), *read_pairs(PAIRS)])
    rows = [*turns, *_to_learn(_rows(short=True)), *_some(others, _OTHERS, recipe)]
    _goes_on(rows, tell, folder, recipe)
    return weigh(folder)


def _rows(*, short: bool) -> list[dict[str, Any]]:
    return [row for row in read_rows() if bool(_SHORT.match(str(row["id"]))) is short]


def _some(rows: Sequence[dict[str, Any]], count: int, recipe: Recipe) -> list[dict[str, Any]]:
    return [rows[at] for at in np.random.default_rng(recipe.seed).permutation(len(rows))[:count]]


def _goes_on(
    rows: Sequence[dict[str, Any]], tell: Callable[[str], None], folder: Path, recipe: Recipe
) -> None:
    model = read_packed(packaged_file())
    save(_learnt(model, _saved(model, folder, recipe), rows, recipe, tell), model, folder)


def _to_learn(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those of businesses that are never learnt from."""
    return [row for row in rows if not held_out(str(row["template"]))]


def _learnt(
    model: PackedE5,
    learnt: Weights,
    rows: Sequence[dict[str, Any]],
    recipe: Recipe,
    tell: Callable[[str], None],
) -> Weights:
    encoder, pairs = PairEncoder(model, recipe.layers, recipe.dropped), cut(rows, model)
    tell(f"{len(pairs)} pairs to learn from")
    states = encoder.states(pairs)
    tell("states of the lower layers")
    return learn(encoder, learnt, pairs, states, recipe, tell)


def _saved(model: PackedE5, folder: Path, recipe: Recipe) -> Weights:
    """What `save` wrote."""
    with np.load(folder / f"{NAME}_turn.npz", allow_pickle=False) as stored:
        turn = [
            {
                f"{name}.{part}": jnp.asarray(stored[f"l{number}.{name}.{part}"], jnp.float32)
                for name in MATRICES
                for part in "ab"
            }
            for number in range(model.layers - recipe.layers, model.layers)
        ]
    with np.load(folder / f"{NAME}.npz", allow_pickle=False) as stored:
        return {"turn": turn, **{name: jnp.asarray(stored[name]) for name in stored.files}}


def weigh(folder: Path = WEIGHTS) -> dict[str, Any]:
    """Writes the sidecar: how the judges are weighed, on the rows held out, as a process would read them."""
    sets = {DATA.stem: read_rows(), PAIRS.stem: read_pairs(PAIRS), TURNS.stem: read_pairs(TURNS)}
    asked = [(name, row) for name, rows in sets.items() for row in rows if held_out(str(row["template"]))]
    of, rows = np.array([name for name, _ in asked]), [row for _, row in asked]
    sidecar: dict[str, Any] = {
        "version": version_of(folder / f"{NAME}_turn.npz"),
        "recipes": [asdict(Recipe()), asdict(FURTHER), asdict(LAST)],
        "rows_sha256": [rows_hash(path) for path in (DATA, PAIRS, TURNS)],
        "weighing": {"judge": 1.0, "reader": 0.0, "length": 0.0, "bias": 0.0},
    }
    file = folder / f"{NAME}.json"
    file.write_text(json.dumps(sidecar, indent=1) + "\n", "utf-8")
    reader = Reader(folder=folder, threads=2)
    doubts = np.array([reader.doubt(row["answer"], row["passages"]) for row in rows], np.float32)
    sidecar |= weighed(rows, of, *first_judge(rows), doubts)
    file.write_text(json.dumps(sidecar, indent=1) + "\n", "utf-8")
    return sidecar


def _progress(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    run = {"further": further, "last": last}.get(" ".join(sys.argv[1:]), train)
    json.dump(run(_progress), sys.stdout, indent=1)
    sys.stdout.write("\n")
