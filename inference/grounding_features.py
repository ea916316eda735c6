"""What the grounding judge looks at: how far the words, clauses and values of an answer are in its sources.

An answer gives instances of three kinds. A *word* is seen with its nearest words in the sources, a *clause*
with the two clauses of the sources it is nearest to and what both affirm, a *value* with the rows that hold
it and those that hold another. One bad instance makes an answer bad.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.claims import Fact, facts
from inference.grounding_concepts import cognate, keys, known_concept, plain, states_nothing
from inference.grounding_content import abstains, announces, conditional
from inference.grounding_covered import covered
from inference.grounding_echo import Echo
from inference.grounding_heard import MOST_CLAUSES, STEM, SideBySide, Told, cut, side_by_side
from inference.grounding_lexis import DIMENSIONS, Lexis
from inference.grounding_marks import MARKS, marks, poles
from inference.grounding_names import unaddressed
from inference.grounding_rows import (
    Row,
    agree,
    parse,
    placed,
    sentences,
    shifted,
    subject,
    telling,
    without_facts,
)
from inference.grounding_words import denials, fold, stem

WORD_SCALARS = 37
WORD = WORD_SCALARS + DIMENSIONS
_PAIR = 8 + len(MARKS)  # what is seen of one clause of the sources
CLAUSE = 13 + len(MARKS) + 2 * _PAIR
_KINDS = ("money", "duration", "percent", "number", "hour", "weekday", "date")
VALUE = len(_KINDS) + 17
# Kinds of unsupported claims found by rule, which the judge weighs too.
FOUND = (
    *("content", "polarity", "money", "number", "duration", "hour", "weekday", "date", "name", "promise"),
    *("percent", "phone", "url"),
)
ANSWER = len(FOUND) + 12
_SLIGHT = 0.25  # weight of a word that states nothing
_LOUD = 4.0  # how far a find of the rules reaches in the few steps of training
HELD, _EMPTY = 5, 6  # columns of a word: how far it is in the sources, whether it states nothing
FORTH = 13 + len(MARKS)  # of a clause: how far it is in the nearest of the sources
_MET = 0.6  # from here on a word is near enough to one of the sources to be a paraphrase of it

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Instances:
    """Features of one answer: words (w, WORD), clauses (c, CLAUSE), values (v, VALUE), the answer (ANSWER,).

    `spans` says which sentence of the answer each word, clause and value stands in, in that order.
    """

    words: Floats
    clauses: Floats
    values: Floats
    answer: Floats
    spans: tuple[str, ...]


def instances(
    answer: str,
    language: str | None,
    texts: Sequence[str],
    found: Sequence[str],
    lexis: Lexis,
    question: str = "",
) -> Instances:
    """Everything the judge sees of an answer, its quotations taken out. `found` are the kinds of claims that
    rules found unsupported, `question` is what the customer wrote."""
    echo, parsed = Echo.of(question, language), [parse(text) for text in texts]
    sources = side_by_side(texts, parsed, lexis)
    words: list[Floats] = []
    clauses: list[Floats] = []
    values: list[Floats] = []
    spans: tuple[list[str], list[str], list[str]] = ([], [], [])
    cross = float(language not in sources.language)
    lines = [line for _, line in sentences(answer)][:MOST_CLAUSES]
    held = []
    for number, line in enumerate(lines):
        sentence = unaddressed(line)
        context = _Context(
            fold(sentence),
            facts(sentence, language),
            language,
            float(line.rstrip().rstrip('"”»)😊🙂').endswith("?")),
            cross,
            float(number == 0),
            float(len(lines) == 1),
            echo,
        )
        held.append(covered(context.folded, context.facts, language, texts))
        for a, b in cut(sentence):
            of_words, of_clause = _clause(context, a, b, sources, lexis)
            words += of_words
            spans[0].extend([line] * len(of_words))
            if of_clause is not None:
                clauses.append(of_clause)
                spans[1].append(line)
        of_values = _values(sentence, context, sources, lexis)
        values += of_values
        spans[2].extend([line] * len(of_values))
    whole = [_LOUD * float(kind in found) for kind in FOUND] + [len(words) / 20, len(clauses) / 4]
    whole.append(float(bool(echo.words)))
    whole += _overall(_stacked(words, WORD), _stacked(clauses, CLAUSE))
    for by_line_or_source in zip(*held, strict=True):
        whole += [sum(by_line_or_source) / len(held), _LOUD * float(all(by_line_or_source))]
    whole += [0.0] * (ANSWER - len(whole))
    return Instances(
        _stacked(words, WORD),
        _stacked(clauses, CLAUSE),
        _stacked(values, VALUE),
        np.array(whole, dtype=np.float32),
        (*spans[0], *spans[1], *spans[2]),
    )


def _overall(words: Floats, clauses: Floats) -> list[float]:
    """How much of an answer is in its sources at all."""
    if not len(words):
        return [0.0] * 5
    held = words[:, HELD]
    telling_ = words[:, _EMPTY] == 0
    alien = float(bool(telling_.any()) and bool((held[telling_] < _MET).all()))
    nearest = clauses[:, FORTH] if len(clauses) else np.zeros(1, dtype=np.float32)
    return [
        float(held.mean()),
        float((held < _MET).mean()),
        _LOUD * alien,
        float(nearest.min()),
        _LOUD * float((held[telling_] < _MET).sum() >= 2 if telling_.any() else 0),
    ]


def _stacked(rows: list[Floats], width: int) -> Floats:
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, width), dtype=np.float32)


@dataclass(frozen=True)
class _Context:
    """The sentence a clause stands in."""

    folded: str
    facts: Sequence[Fact]
    language: str | None
    question: float
    cross: float
    first: float
    alone: float
    echo: Echo


def _weights(words: Sequence[str]) -> Floats:
    return np.array([_SLIGHT if states_nothing(word) else 1.0 for word in words], dtype=np.float32)


def _clause(
    context: _Context, a: int, b: int, sources: SideBySide, lexis: Lexis
) -> tuple[list[Floats], Floats | None]:
    """The instances of one clause: its words', and its own unless it says nothing."""
    folded = context.folded[a:b]
    inside = shifted([f for f in context.facts if a <= f.start < b], a, b)
    bare = without_facts(folded, inside)
    said = telling(bare)
    told = Told(tuple(word for _, word in said), denials(folded, context.language), marks(folded))
    if not told.words or not sources.unique:
        return [], None
    vectors = lexis.matrix(list(told.words))
    near = vectors @ sources.vectors.T
    same = near.copy()
    for n, word in enumerate(told.words):
        for key in keys(word):
            same[n, sources.by_key.get(key, [])] = np.maximum(same[n, sources.by_key.get(key, [])], 1.0)
    weights = _weights(told.words)
    forth, back = _aligned(same, weights, sources.columns, sources.starts)
    order = np.argsort(-(forth + 0.3 * back), kind="stable")[:2]
    flags = (
        context.question,
        float(abstains(folded)),
        float(conditional(folded)),
        float(told.denied),
        float(bool(inside)),
    )
    words = _words(bare, said, near, vectors, flags, context, sources, forth, order, lexis)
    if not sources.clauses:
        return words, None
    return words, _own(told, flags, context, sources, forth, back, order)


def _aligned(
    same: Floats, weights: Floats, columns: Sequence[int], starts: Sequence[int]
) -> tuple[Floats, Floats]:
    """For each block of columns, how far the words are in it, and it in the words; 0..1."""
    if len(starts) < 2:
        return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float32)
    spread = np.maximum(same[:, columns], 0)
    counts = np.diff(starts)
    filled = counts > 0
    at = np.asarray(starts[:-1])[filled]
    forth, back = np.zeros(len(counts), dtype=np.float32), np.zeros(len(counts), dtype=np.float32)
    if len(at):
        best = np.maximum.reduceat(spread, at, axis=1)
        forth[filled] = (best * weights[:, None]).sum(axis=0) / max(float(weights.sum()), 1e-6)
        back[filled] = np.add.reduceat(spread.max(axis=0), at) / counts[filled]
    return forth, back


def _words(
    bare: str,
    said: Sequence[tuple[int, str]],
    near: Floats,
    vectors: Floats,
    flags: tuple[float, ...],
    context: _Context,
    sources: SideBySide,
    forth: Floats,
    order: NDArray[np.intp],
    lexis: Lexis,
) -> list[Floats]:
    nearest = near.max(axis=1)
    second = np.partition(near, -2, axis=1)[:, -2] if near.shape[1] > 1 else nearest
    known = set(sources.unique)
    meant = np.array([float(bool(keys(word) & sources.meanings)) for _, word in said], dtype=np.float32)
    alike = np.array(
        [float(stem(word, STEM) in sources.stems or cognate(word) in sources.stems) for _, word in said],
        dtype=np.float32,
    )
    held = np.maximum(nearest, np.maximum(meant, alike))
    empty = np.array([float(states_nothing(word)) for _, word in said], dtype=np.float32)
    weighed = (1 - held) * (1 - 0.7 * empty)
    if len(order):
        first = int(order[0])
        block = sources.columns[sources.starts[first] : sources.starts[first + 1]]
        within = near[:, block].max(axis=1)
        best = float(forth[first])
    else:
        within, best = np.zeros(len(said), dtype=np.float32), 0.0
    question, unsure, supposed, denied, valued = flags
    echoed = [float(context.echo.speaks_of(word)) for _, word in said]
    total, most, usual = float(weighed.sum()), weighed.max(), weighed.mean()
    strange, alone = np.logical_not(np.any(vectors, axis=1)).tolist(), max(len(said) - 1, 1)
    echoes = sum(echoed) / len(echoed)
    size = math.log1p(len(sources.unique)) / 5
    rows = []
    for n, (at, word) in enumerate(said):
        common = lexis.rarity(word)
        new = 1 - float(held[n])
        scalars = [
            *(nearest[n], second[n], meant[n], float(word in known), alike[n], held[n], empty[n]),
            *(known_concept(word), plain(word), float(announces(bare, at)), question, unsure, supposed),
            float(denied > 0),
            (total - float(weighed[n])) / alone,
            *(most, usual),
            held[n - 1] if n else -0.2,
            held[n + 1] if n + 1 < len(said) else -0.2,
            *(within[n], best, context.cross, len(word) / 10, float(strange[n]), len(said) / 10),
            *(size, context.first, context.alone, valued),
            *(common, common * new, (common <= 0) * new, (common < 2) * new, (common > 4) * new),
            *(echoed[n], echoed[n] * new, echoes),
        ]
        rows.append(np.concatenate([scalars, vectors[n] * max(0.0, new)]).astype(np.float32))
    return rows


def _own(
    told: Told,
    flags: tuple[float, ...],
    context: _Context,
    sources: SideBySide,
    forth: Floats,
    back: Floats,
    order: NDArray[np.intp],
) -> Floats:
    question, unsure, supposed, denied, valued = flags
    odd = told.denied % 2
    parity = np.array([one.denied % 2 for one in sources.clauses])
    same = float(forth[parity == odd].max(initial=0))
    opposed = float(forth[parity != odd].max(initial=0))
    row = [
        question,
        unsure,
        supposed,
        denied,
        float(odd),
        len(told.words) / 10,
        same,
        opposed,
        opposed - same,
    ]
    echoed = [context.echo.speaks_of(word) for word in told.words]
    row += [context.cross, valued, context.alone, sum(echoed) / len(echoed), *told.marks]
    mine = poles(told.marks, told.denied)
    for n in order:
        other = sources.clauses[n]
        agreed = mine * poles(other.marks, other.denied)
        differ = float(other.denied % 2 != odd)
        against = float((agreed < 0).sum())
        row += [forth[n], back[n], differ, forth[n] * differ, float(other.denied), against]
        row += [float((agreed > 0).sum()), forth[n] * (against > 0), *(told.marks - other.marks)]
    row += [0.0] * (CLAUSE - len(row))
    return np.array(row, dtype=np.float32)


def _values(sentence: str, context: _Context, sources: SideBySide, lexis: Lexis) -> list[Floats]:
    rows = []
    for fact, (start, end), inside in placed(sentence, context.facts):
        if fact.kind not in _KINDS:
            continue
        spent = shifted(inside, start, end)
        folded = context.folded[start:end]
        words = [word for _, word in telling(without_facts(folded, spent))]
        about = subject(sentence[start:end], spent)
        beside = [f for f in inside if f.kind != fact.kind]
        if words and sources.row_columns:
            near = lexis.matrix(words) @ sources.vectors.T
            close, _ = _aligned(near, _weights(words), sources.row_columns, sources.row_starts)
        else:
            close = np.zeros(len(sources.rows), dtype=np.float32)
        holding: list[tuple[float, int, int]] = []
        rivals: list[tuple[float, int, int]] = []
        for row, nearness in zip(sources.rows, close, strict=True):
            holds = row.states(fact)
            if not holds and not any(
                f.kind == fact.kind or (fact.kind == "money" and f.kind == "number") for f in row.facts
            ):
                continue
            seen = (float(nearness), len(about & row.stems), _agreeing(beside, row))
            (holding if holds else rivals).append(seen)
        own, other = (max(some, default=(0.0, 0, 0), key=lambda one: one[0]) for some in (holding, rivals))
        shared, shared_other = (max((one[1] for one in some), default=0) for some in (holding, rivals))
        values, values_other = (max((one[2] for one in some), default=0) for some in (holding, rivals))
        row_ = [float(fact.kind == kind) for kind in _KINDS]
        row_ += [float(bool(holding)), len(holding) / 3, len(rivals) / 5, own[0], other[0], own[0] - other[0]]
        row_ += [shared, shared_other, shared - shared_other, values, values_other, context.question]
        row_ += [context.cross, len(words) / 10, float(denials(folded, context.language) > 0), context.alone]
        row_.append(float(context.echo.has(fact)))
        rows.append(np.array(row_, dtype=np.float32))
    return rows


def _agreeing(beside: Sequence[Fact], row: Row) -> int:
    return sum(any(agree(one, own) for own in row.facts) for one in beside)
