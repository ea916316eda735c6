"""Formulas a spreadsheet was saved with but never computed: references, sums and the four operations."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation

from openpyxl.utils.cell import column_index_from_string

# (sheet, row, column), both counted from 1
Place = tuple[str, int, int]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)"
    r"|(?:(?:'(?P<quoted>[^'\[\]]{1,31})'|(?P<sheet>[^\W\d]\w{0,30}))!)?"
    r"\$?(?P<column>[A-Z]{1,3})\$?(?P<row>\d{1,7})(?!\w|\()"
    r"|(?P<function>SUM)(?=\()"
    r"|(?P<sign>[-+*/%():,;]))",
    re.IGNORECASE,
)
_MAX_CHARS = 500
_MAX_SUMMED = 5_000
_MAX_DEPTH = 20


class _Untold(Exception):
    """The formula is beyond what is computed here."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: Place = ("", 0, 0)


class Formulas:
    """Computes cells of a workbook from `cells`, where a formula is text beginning with `=`.

    A formula of more than 500 characters, 20 references deep or over 5000 summed cells is not computed.
    """

    def __init__(self, cells: Mapping[Place, object]) -> None:
        self._cells = cells
        self._known: dict[Place, object] = {}

    def value(self, place: Place) -> object:
        """The cell's value, computed if it is a formula; None when it is empty or cannot be told."""
        try:
            return self._value(place, 0)
        except (_Untold, InvalidOperation, DivisionByZero, OverflowError):
            return None

    def _value(self, place: Place, depth: int) -> object:
        held = self._cells.get(place)
        if not isinstance(held, str) or not held.startswith("="):
            return held
        if place not in self._known:
            if depth > _MAX_DEPTH or len(held) > _MAX_CHARS:
                raise _Untold
            tokens = list(_tokens(held[1:], place[0]))
            self._known[place] = _Reading(self, tokens, depth).result()
        return self._known[place]


class _Reading:
    """One formula read from left to right, products before sums."""

    def __init__(self, formulas: Formulas, tokens: list[_Token], depth: int) -> None:
        self._formulas = formulas
        self._tokens = tokens
        self._depth = depth
        self._at = 0

    def result(self) -> object:
        if len(self._tokens) == 1 and self._tokens[0].kind == "cell":
            return self._held(self._tokens[0].place)  # a plain reference may stand for words or a day
        total = self._sum()
        if self._at < len(self._tokens):
            raise _Untold
        return total

    def _held(self, place: Place) -> object:
        return self._formulas._value(place, self._depth + 1)

    def _number(self, place: Place) -> Decimal:
        held = self._held(place)
        if held is None:
            return Decimal(0)
        if isinstance(held, bool) or not isinstance(held, int | float | Decimal):
            raise _Untold
        return Decimal(str(held))

    def _sign(self, signs: str) -> str | None:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind == "sign" and token.text in signs:
                self._at += 1
                return token.text
        return None

    def _sum(self) -> Decimal:
        total = self._product()
        while sign := self._sign("+-"):
            total = total + self._product() if sign == "+" else total - self._product()
        return total

    def _product(self) -> Decimal:
        product = self._factor()
        while sign := self._sign("*/"):
            product = product * self._factor() if sign == "*" else product / self._factor()
        return product

    def _factor(self) -> Decimal:
        if self._sign("-"):
            return -self._factor()
        if self._sign("("):
            inner = self._sum()
            self._close()
        elif self._at < len(self._tokens):
            inner = self._operand()
        else:
            raise _Untold
        while self._sign("%"):
            inner /= 100
        return inner

    def _operand(self) -> Decimal:
        token = self._tokens[self._at]
        self._at += 1
        match token.kind:
            case "number":
                return Decimal(token.text)
            case "cell":
                return self._number(token.place)
            case "function":
                return self._summed()
        raise _Untold

    def _summed(self) -> Decimal:
        if not self._sign("("):
            raise _Untold
        total = self._argument()
        while self._sign(",;"):
            total += self._argument()
        self._close()
        return total

    def _argument(self) -> Decimal:
        ahead = self._tokens[self._at : self._at + 3]
        if [token.kind for token in ahead] != ["cell", "sign", "cell"] or ahead[1].text != ":":
            return self._sum()
        self._at += 3
        return sum((self._number(place) for place in _range(ahead[0].place, ahead[2].place)), Decimal(0))

    def _close(self) -> None:
        if not self._sign(")"):
            raise _Untold


def _range(first: Place, last: Place) -> Iterator[Place]:
    rows, columns = range(first[1], last[1] + 1), range(first[2], last[2] + 1)
    if len(rows) * len(columns) > _MAX_SUMMED:
        raise _Untold
    return ((first[0], row, column) for row in rows for column in columns)


def _tokens(formula: str, sheet: str) -> Iterator[_Token]:
    at = 0
    while at < len(formula.rstrip()):
        found = _TOKEN.match(formula, at)
        if not found:
            raise _Untold
        at = found.end()
        if found["row"]:
            column = column_index_from_string(found["column"].upper())
            named = found["quoted"] or found["sheet"] or sheet
            yield _Token("cell", found[0].strip(), (named, int(found["row"]), column))
        elif found["number"]:
            yield _Token("number", found["number"])
        elif found["function"]:
            yield _Token("function", "SUM")
        else:
            yield _Token("sign", found["sign"])
