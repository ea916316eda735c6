"""From what a benchmark measured to figures with names, units, targets and ratios (catalogue.yaml)."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sara.bench.result import Figure, Target

FILE = Path(__file__).with_suffix(".yaml")
SPREAD = ("median", "p95", "p99", "n")
_UNITS = {"ms": "ms", "s": "s", "mb": "MB", "bytes": "bytes"}
_Of = Literal["median", "p95", "p99", "value", "ratio"]
_Leaf = float | Mapping[str, float]


class Wanted(BaseModel):
    """One line of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str | None = None
    at_most: dict[_Of, float] = {}
    at_least: dict[_Of, float] = {}
    per: str | None = None
    as_: str = Field("", alias="as")


class Section(BaseModel):
    """One benchmark of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str = ""
    apart: tuple[str, ...] = ()
    figures: dict[str, Wanted] = {}


@cache
def catalogue() -> Mapping[str, Section]:
    """Every benchmark that has lines of its own. Raises pydantic.ValidationError for a slip in the file."""
    read = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: Section.model_validate(section) for name, section in read.items()}


def figures(section: Section, measured: Mapping[str, Any]) -> tuple[Figure, ...]:
    """What a benchmark measured as figures: those of the catalogue in its order, then the others.

    A figure with a target stands there also where it was not measured: without values.
    """
    leaves: dict[str, _Leaf] = dict(_leaves(measured))
    made: dict[str, Figure] = {}
    # A path that is written out comes before a pattern that fits it too.
    for path, wanted in section.figures.items():
        fitting = [key for key in leaves if key not in made and _fits(key, path)]
        for key in fitting:
            made[key] = _figure(key, path, wanted, leaves)
        if not fitting and "*" not in path and (wanted.at_most or wanted.at_least):
            made[path] = _figure(path, path, wanted, leaves)
    for key in leaves:
        if key not in made and key.split(".")[0] not in section.apart:
            made[key] = _figure(key, key, Wanted.model_validate({"name": _spoken(key)}), leaves)
    return tuple(made.values())


def _leaves(measured: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, _Leaf]]:
    """Every number and every spread of values, by its path."""
    for name, value in measured.items():
        path = f"{above}.{name}" if above else str(name)
        if isinstance(value, Mapping) and "median" not in value:
            yield from _leaves(value, path)
        elif isinstance(value, Mapping) or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield path, value


def _fits(key: str, path: str) -> bool:
    return re.fullmatch(re.escape(path).replace(r"\*", r"[^.]+"), key) is not None


def _figure(key: str, path: str, wanted: Wanted, leaves: Mapping[str, _Leaf]) -> Figure:
    leaf = leaves.get(key)
    values: dict[str, Any] = {"value": leaf}
    if isinstance(leaf, Mapping):
        values = {name: leaf[name] for name in SPREAD if name in leaf}
    own, base = _middle(leaf), _middle(leaves.get(wanted.per)) if wanted.per else None
    if own is not None and base:
        values |= {"ratio": round(own / base, 2), "ratio_to": wanted.as_}
    targets = tuple(_targets(wanted, values))
    told = [target.holds for target in targets]
    return Figure(
        key=key,
        name=wanted.name.replace("{}", _stood_for(key, path)),
        unit=_unit(key) if wanted.unit is None else wanted.unit,
        **values,
        targets=targets,
        holds=False if False in told else None if not told or None in told else True,
    )


def _targets(wanted: Wanted, values: Mapping[str, Any]) -> Iterator[Target]:
    for of, limit in wanted.at_most.items():
        value = values.get(of)
        yield Target(of=of, op="<=", limit=limit, holds=None if value is None else value <= limit)
    for of, limit in wanted.at_least.items():
        value = values.get(of)
        yield Target(of=of, op=">=", limit=limit, holds=None if value is None else value >= limit)


def _middle(leaf: _Leaf | None) -> float | None:
    return leaf["median"] if isinstance(leaf, Mapping) else leaf


def _stood_for(key: str, path: str) -> str:
    parts = zip(key.split("."), path.split("."), strict=True)
    return _spoken(next((part for part, pattern in parts if pattern == "*"), ""))


def _unit(key: str) -> str:
    endings = (part.rpartition("_")[2] for part in reversed(key.split(".")))
    return next((_UNITS[ending] for ending in endings if ending in _UNITS), "")


def _spoken(key: str) -> str:
    return key.replace("_", " ").replace(".", ", ")
