"""As much of PromQL as tells which metrics, labels and functions an expression names."""

import re
from dataclasses import dataclass, field

# https://prometheus.io/docs/prometheus/latest/querying/functions/ and …/operators/: those used here.
FUNCTIONS = {"abs", "absent", "histogram_quantile", "increase", "rate"}
AGGREGATIONS = {"sum", "max", "min", "avg", "count"}
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring"}
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<range>\[(?:\d+[smhd]|\$__rate_interval)\])'
    r"|(?P<name>[a-zA-Z_:][\w:]*)|(?P<number>\d+(?:\.\d+)?(?:e\d+)?)|(?P<sign>=~|!~|!=|==|<=|>=|[-+*/^<>=(){},]))"
)


@dataclass
class Named:
    """What an expression names: metrics with the labels asked of each."""

    metrics: dict[str, set[str]] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def named(expression: str) -> Named:
    """What it names. Raises ValueError for what is not written as PromQL is."""
    tokens = _tokens(expression)
    found, at, last = Named(), 0, ""
    while at < len(tokens):
        kind, word = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "name" and word in ("by", "without", "on", "ignoring"):
            end = _closing(tokens, at + 1)
            found.grouped |= {text for kind_, text in tokens[at + 2 : end] if kind_ == "name"}
            at = end
        elif kind == "name" and word in FUNCTIONS | AGGREGATIONS:
            if following not in ("(", "by", "without"):
                raise ValueError(f"{word} is not applied to anything: {expression}")
            found.functions.add(word)
        elif kind == "name" and word not in WORDS:
            if following == "(":
                raise ValueError(f"no such function: {word}")
            last = word
            found.metrics.setdefault(word, set())
        elif word == "{":
            end = _closing(tokens, at)
            found.metrics[last] |= _matched(tokens[at + 1 : end])
            at = end
        at += 1
    return found


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, at, depth = [], 0, 0
    text = expression.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"not PromQL at {text[at : at + 20]!r}")
        kind = token.lastgroup or ""
        tokens.append((kind, token[kind]))
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(token[kind], 0)
        if depth < 0:
            raise ValueError(f"closed and never opened: {expression}")
        at = token.end()
    if depth:
        raise ValueError(f"opened and never closed: {expression}")
    return tokens


def _closing(tokens: list[tuple[str, str]], opening: int) -> int:
    """Where the bracket that opens at `opening` closes."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(tokens[at][1], 0)
        if depth == 0:
            return at
    raise ValueError("never closed")


def _matched(tokens: list[tuple[str, str]]) -> set[str]:
    """The labels of `label="value", …`."""
    labels = set()
    for start in range(0, len(tokens), 4):
        (kind, label), (_, operator), (value, _), *comma = tokens[start : start + 4]
        if kind != "name" or operator not in ("=", "!=", "=~", "!~") or value != "text" or comma[1:]:
            raise ValueError(f"not a matcher: {tokens}")
        labels.add(label)
    return labels
