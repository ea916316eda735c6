"""Teach E5 how customers ask: `python -m inference.train_e5` rewrites data/weights/e5_turn.*.

LoRA (Hu et al., 2021) on the upper layers: each matrix W becomes W + B·A of a low rank. A question must be
nearer to the passage that answers it than to the other passages of its business and, weighing less, of
another (InfoNCE), and no vector may go far from where it was. The lower layers stay as they are, so their
states are computed once. One business in six is never trained on: the figures are theirs. The same rows on
the same machine give the same weights.

Needs jax and optax, the dependency group `turning`; nothing else imports this.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from inference.classify import WEIGHTS
from inference.e5 import E5Embedder
from inference.e5_packed import PackedE5, packaged_file, read_packed
from inference.e5_turn import FILE, MATRICES, version_of
from inference.embed import Vector
from inference.train import rows_hash
from inference.train_aim import DATA, read_rows
from inference.train_e5_rows import (
    Business,
    Lesson,
    Recipe,
    Texts,
    businesses,
    found,
    held_out,
    kept_close,
    weights_of,
)

# Texts of like length are computed together, padded to one of these and so many pieces in all: each pair of
# sizes is compiled once.
_LENGTHS = (12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160)
_TOGETHER = 1024

Weights = dict[str, Any]
States = list[NDArray[np.float16]]


def frozen(model: PackedE5, layers: range) -> list[Weights]:
    """The package's own weights of these layers, matrices turned for `x @ w`."""
    made = []
    for number in layers:
        of, weights = f"l{number}.", {}
        for name in MATRICES:
            columns = model.inner if name == "fo" else model.width
            weights[name + ".w"] = jnp.asarray(model.matrix(f"{of}{name}.w", columns).T)
            weights[name + ".b"] = jnp.asarray(model.plain(f"{of}{name}.b"))
        for norm in ("aln", "oln"):
            weights[norm + ".w"] = jnp.asarray(model.plain(f"{of}{norm}.w"))
            weights[norm + ".b"] = jnp.asarray(model.plain(f"{of}{norm}.b"))
        made.append(weights)
    return made


def unlearnt(model: PackedE5, layers: int, rank: int, random: np.random.Generator) -> list[Weights]:
    """A random, B zero: the model as it was."""
    made = []
    for _ in range(layers):
        layer = {}
        for name in MATRICES:
            wide = model.inner if name == "fo" else model.width
            high = model.inner if name == "fi" else model.width
            layer[name + ".a"] = jnp.asarray(random.normal(0, wide**-0.5, (rank, wide)), jnp.float32)
            layer[name + ".b"] = jnp.zeros((high, rank), jnp.float32)
        made.append(layer)
    return made


def _norm(x: Any, weights: Weights, name: str, epsilon: float) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    spread = jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + epsilon)
    return centred * spread * weights[name + ".w"] + weights[name + ".b"]


def _layer(x: Any, mask: Any, weights: Weights, learnt: Weights | None, heads: int, epsilon: float) -> Any:
    """One layer of BERT; x (n, length, width), mask (n, length)."""

    def linear(name: str, of: Any) -> Any:
        made = of @ weights[name + ".w"] + weights[name + ".b"]
        return made if learnt is None else made + (of @ learnt[name + ".a"].T) @ learnt[name + ".b"].T

    n, length, _ = x.shape

    def apart(name: str) -> Any:
        made = linear(name, x).reshape(n, length, heads, -1).transpose(0, 2, 1, 3)
        return made.reshape(n * heads, length, -1)

    # As one product over texts and heads: XLA is twice as fast at it as at the same written with einsum.
    q, k, v = (apart(name) for name in "qkv")
    unseen = jnp.repeat(jnp.where(mask, 0.0, -1e9), heads, axis=0)[:, None, :]
    chance = jax.nn.softmax(q @ k.transpose(0, 2, 1) * q.shape[-1] ** -0.5 + unseen, axis=-1)
    seen = (chance @ v).reshape(n, heads, length, -1).transpose(0, 2, 1, 3).reshape(x.shape)
    x = _norm(x + linear("ao", seen), weights, "aln", epsilon)
    return _norm(x + linear("fo", jax.nn.gelu(linear("fi", x), approximate=False)), weights, "oln", epsilon)


def through(model: PackedE5, weights: list[Weights], learnt: list[Weights] | None, x: Any, mask: Any) -> Any:
    """The states x (n, length, width) after these layers, changed by what they have learnt."""
    for number, layer in enumerate(weights):
        change = learnt[number] if learnt is not None else None
        x = _layer(x, mask, layer, change, model.heads, model.epsilon)
    return x


def embedded(
    model: PackedE5, pieces: Sequence[Sequence[int]], rows: int, length: int
) -> tuple[Any, NDArray[np.bool_]]:
    """What the first layer is given of texts, padded to (rows, length), and the mask of what is text."""
    places = model.plain("emb.pos").reshape(-1, model.width) + model.plain("emb.type")[: model.width]
    norm = {f"emb.ln.{part}": jnp.asarray(model.plain(f"emb.ln.{part}")) for part in "wb"}
    x = np.zeros((rows, length, model.width), np.float32)
    for row, text in enumerate(pieces):
        words = model.matrix("emb.word", model.width, text)
        x[row, : len(words)] = words + places[: len(words)]
    mask = _mask([len(text) for text in pieces], rows, length)
    return _norm(x, norm, "emb.ln", model.epsilon), mask


class Encoder:
    """E5 in two parts: `states` runs the layers that stay, `vectors` those that learn."""

    def __init__(self, model: PackedE5, learning: int) -> None:
        below = model.layers - learning
        self._model = model
        self._lower, self._upper = frozen(model, range(below)), frozen(model, range(below, model.layers))
        self._run_lower = jax.jit(lambda *given: through(model, *given))
        self._run_upper = jax.jit(self._pooled)

    def _pooled(self, learnt: list[Weights], weights: list[Weights], x: Any, mask: Any) -> Any:
        x = through(self._model, weights, learnt, x.astype(jnp.float32), mask)
        mean = (x * mask[:, :, None]).sum(1) / jnp.maximum(mask.sum(1, keepdims=True), 1)
        return mean * jax.lax.rsqrt((mean * mean).sum(-1, keepdims=True) + 1e-12)

    def states(self, pieces: Sequence[Sequence[int]]) -> States:
        """What the lower layers make of each text; (pieces, width) at half precision."""
        made: States = [np.empty((0, 0), np.float16)] * len(pieces)
        for some, length, rows in batches([len(text) for text in pieces]):
            x, mask = embedded(self._model, [pieces[at] for at in some], rows, length)
            done = np.asarray(self._run_lower(self._lower, None, x, mask))
            for row, at in enumerate(some):
                made[at] = done[row, : len(pieces[at])].astype(np.float16)
        return made

    def chunks(self, states: States) -> Iterator[tuple[list[int], Any, Any]]:
        """The texts in padded arrays: which, their states and their mask."""
        for some, length, rows in batches([len(state) for state in states]):
            x = np.zeros((rows, length, self._model.width), np.float16)
            for row, at in enumerate(some):
                x[row, : len(states[at])] = states[at]
            yield some, x, _mask([len(states[at]) for at in some], rows, length)

    def vectors(self, learnt: list[Weights], states: States) -> Vector:
        """Unit vectors, shape (n, width)."""
        made = np.empty((len(states), self._model.width), np.float32)
        for some, x, mask in self.chunks(states):
            made[some] = np.asarray(self._run_upper(learnt, self._upper, x, mask))[: len(some)]
        return made

    def pulled(
        self, learnt: list[Weights], states: States, lose: Callable[[Vector], tuple[float, Vector]]
    ) -> tuple[float, Any, Vector]:
        """The texts' vectors with their loss and its gradient; `lose` gives the loss and its slope."""
        made, pulls = np.empty((len(states), self._model.width), np.float32), []
        for some, x, mask in self.chunks(states):
            # Bound now: the loop goes on before the pull is called.
            vectors, pull = jax.vjp(
                lambda low, x=x, mask=mask: self._run_upper(low, self._upper, x, mask), learnt
            )
            made[some] = np.asarray(vectors)[: len(some)]
            pulls.append((some, vectors.shape, pull))
        loss, slope = lose(made)
        total = None
        for some, shape, pull in pulls:
            back = np.zeros(shape, np.float32)
            back[: len(some)] = slope[some]
            (gradient,) = pull(jnp.asarray(back))
            total = gradient if total is None else jax.tree.map(jnp.add, total, gradient)
        return loss, total, made


def batches(lengths: Sequence[int]) -> Iterator[tuple[list[int], int, int]]:
    """Which texts go together, padded to what length, in an array of how many rows."""
    order = sorted(range(len(lengths)), key=lambda at: -lengths[at])
    while order:
        length = next(size for size in _LENGTHS if size >= lengths[order[0]])
        rows = max(1, _TOGETHER // length)
        yield order[:rows], length, rows
        order = order[rows:]


def _mask(lengths: Sequence[int], rows: int, length: int) -> NDArray[np.bool_]:
    ends = np.array([*lengths, *[0] * (rows - len(lengths))])
    return np.arange(length)[None, :] < ends[:, None]


def learn(
    encoder: Encoder,
    learnt: list[Weights],
    states: States,
    before: Vector,
    rows: Sequence[Business],
    recipe: Recipe,
    tell: Callable[[str], None],
) -> list[Weights]:
    """What is learnt from the businesses, one after another in a fixed random order."""
    random, weights = np.random.default_rng(recipe.seed), weights_of(rows)
    steps = recipe.epochs * len(rows)
    pace = optax.warmup_cosine_decay_schedule(0.0, recipe.step, max(1, steps // 10), steps)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(pace))
    memory = adam.init(learnt)
    change = jax.jit(adam.update)
    others = np.empty((0, before.shape[1]), np.float32)
    for epoch in range(recipe.epochs):
        losses = []
        for number in random.permutation(len(rows)):
            lesson = Lesson(rows[number], others, before, recipe, weights)
            loss, gradient, vectors = encoder.pulled(learnt, [states[at] for at in lesson.texts], lesson.loss)
            updates, memory = change(gradient, memory)
            learnt = optax.apply_updates(learnt, updates)
            others = vectors[: len(rows[number].passages)]
            losses.append(loss)
        tell(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
    return learnt


def rounded(learnt: list[Weights]) -> list[Weights]:
    """As they are kept: at half precision."""
    return [
        {name: matrix.astype(jnp.float16).astype(jnp.float32) for name, matrix in layer.items()}
        for layer in learnt
    ]


def save_turn(learnt: list[Weights], model: PackedE5, file: Path) -> None:
    """Writes what the upper layers have learnt, for `inference.e5_turn.read_turn`."""
    below = model.layers - len(learnt)
    kept: dict[str, Any] = {
        f"l{below + number}.{name}": np.asarray(matrix, np.float16)
        for number, layer in enumerate(learnt)
        for name, matrix in layer.items()
    }
    np.savez_compressed(file, scale=np.float32(1), **kept)


def train(
    tell: Callable[[str], None], data: Path = DATA, weights: Path = WEIGHTS, recipe: Recipe | None = None
) -> dict[str, Any]:
    """Trains, writes weights and sidecar, and returns the sidecar."""
    recipe, rows, model = recipe or Recipe(), read_rows(data), read_packed(packaged_file())
    texts = Texts(model)
    every = businesses(rows, texts)
    held, rest = ([one for one in every if held_out(one.name) is out] for out in (True, False))
    random = np.random.default_rng(recipe.seed)
    encoder, learnt = Encoder(model, recipe.layers), unlearnt(model, recipe.layers, recipe.rank, random)
    tell(f"{len(rest)} businesses to learn from, {len(held)} held out, {len(texts.pieces)} texts")
    states = encoder.states(texts.pieces)
    before = encoder.vectors(learnt, states)
    tell("vectors of before")
    learnt = rounded(learn(encoder, learnt, states, before, rest, recipe, tell))
    after = encoder.vectors(learnt, states)
    save_turn(learnt, model, weights / FILE.name)
    sidecar = {
        "version": version_of(weights / FILE.name),
        "embedder": E5Embedder.name,
        "recipe": asdict(recipe),
        "rows_sha256": rows_hash(data),
        "businesses": len(rest),
        "questions": sum(len(one.questions) for one in rest),
        "held_out": {
            "businesses": len(held),
            "questions": sum(len(one.questions) for one in held),
            "before": found(held, before),
            "after": found(held, after),
            "cosine_to_before": kept_close(held, before, after),
        },
    }
    (weights / "e5_turn.json").write_text(json.dumps(sidecar, indent=1, sort_keys=True) + "\n", "utf-8")
    return sidecar


def table(sidecar: dict[str, Any]) -> str:
    """The held-out figures, before and after, as lines."""
    held = sidecar["held_out"]
    lines = [f"{'held out':<28}before  after"]
    for figure, before in held["before"].items():
        after = held["after"][figure]
        lines += [f"{figure} {name:<15} {before[name]:.3f}  {after[name]:.3f}" for name in before]
    return "\n".join(lines) + "\n"


def _progress(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    done = train(_progress)
    json.dump(done, sys.stdout, indent=1)
    sys.stdout.write("\n" + table(done))
