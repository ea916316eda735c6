"""Price lists: which tables are one, and what each row offers for how much."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.facts.columns import (
    Role,
    could_name_services,
    distinction,
    gross_name,
    is_net,
    role_of,
    speaks_of_names,
    speaks_of_price,
)
from knowledge.facts.duration import is_length, minutes_of
from knowledge.facts.fact import PriceUnit, ServiceFact, Unclear, Unread
from knowledge.facts.money import Price, read_price, sign_in, unit_in, unit_of
from knowledge.facts.table import Row, Table
from knowledge.facts.words import same_name, says_nothing

_MOST_NAME = 120  # characters; a longer cell is a text, not a name
_MOST_VARIANT = 60
_MOST_CODE = 5  # capitals; a longer word of them is one
_WORDS = re.compile(r"(?<![\w-])[^\W\d_]{3,}(?![\w-])")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_NO_SERVICE = re.compile(
    r"^(?:scont[oi]|discounts?|descuentos?|descontos?|acconto|caparra|deposit|señal|sinal|iva|vat|totale?)\b",
    re.IGNORECASE,
)
_LENGTH_BEHIND = re.compile(r"^(?P<base>.+?)[\s,;:(\[–—-]+(?P<length>\S*\d\S*(?: ?\S+){0,3}?)[)\]]?$")
_LENGTH_WORDS = ("min", "minuti", "minutes", "minutos")


@dataclass(frozen=True)
class Offer:
    """A row read: what is offered, told apart from its namesakes by its variant, length, group or details."""

    name: str
    variant: str
    group: str
    length: str  # as written
    minutes: int | None
    price: Price
    language: str | None
    row: str
    details: tuple[tuple[str, str], ...] = ()  # its cells in columns of no known meaning


@dataclass(frozen=True)
class _Layout:
    """What each column of a price list holds. Without column names the cells' own content tells it."""

    roles: dict[str, Role]
    named: bool
    alone: bool  # there is one column of prices


def offers_of(table: Table, currency: str) -> Iterator[Offer | Unread]:
    """What the rows of a price list offer; nothing for another table."""
    layout = _layout(table, currency)
    if layout is None:
        return
    for row in table.rows:
        yield from _of_row(row, table, layout, currency)


def services_of(offers: Iterable[Offer]) -> Iterator[ServiceFact]:
    """The offers of one document as facts: namesakes are told apart by length or by the group they are in."""
    by_name: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        by_name[same_name(f"{offer.name} {offer.variant}")].append(offer)
    for namesakes in by_name.values():
        yield from map(_fact, _told_apart(namesakes))


def _layout(table: Table, currency: str) -> _Layout | None:
    columns = table.columns
    if not any(columns):
        return _Layout({}, named=False, alone=True) if _mostly_priced(table, currency) else None
    roles: dict[str, Role] = {column: role_of(column) if column else "other" for column in columns}
    for column in columns:
        values = [value for value in table.values(column) if not says_nothing(value)]
        bare = bool(values) and all(_bare_price(value, currency) for value in values)
        if (roles[column] == "other" and bare) or (is_net(column) and (bare or speaks_of_price(column))):
            roles[column] = "price"
    if "name" not in roles.values() and (naming := _naming(table, roles)):
        roles[naming] = "name"
    prices = _prices(columns, roles)
    if not prices or "name" not in roles.values():
        return None
    return _Layout(roles, named=True, alone=len(prices) == 1)


def _naming(table: Table, roles: dict[str, Role]) -> str:
    """The column of the names where none is called so: "Servicio (ref.)" or "Codice" if words stand in it, or
    a first column of no known name; "" where there is none."""
    worded = [column for column, role in roles.items() if role == "code" and _mostly_words(table, column)]
    first = next((column for column, role in roles.items() if role != "code"), "")
    is_first = roles.get(first) == "other" and could_name_services(first)
    return next(filter(speaks_of_names, worded), "") or (first if is_first else next(iter(worded), ""))


def _mostly_words(table: Table, column: str) -> bool:
    """Whether a column holds words ("Massaggio"), not codes ("RIL50", "MAS-RIL")."""
    values = [value for value in table.values(column) if not says_nothing(value)]
    worded = [v for v in values if any(not w.isupper() or len(w) > _MOST_CODE for w in _WORDS.findall(v))]
    return 2 * len(worded) > len(values)


def _prices(columns: Sequence[str], roles: dict[str, Role]) -> list[str]:
    """The columns of prices; one without tax beside its twin with tax counts no longer as such in `roles`."""
    prices = [column for column in columns if roles[column] == "price"]
    with_tax = {_but_for_tax(column) for column in prices if not is_net(column)}
    net = [column for column in prices if is_net(column) and _but_for_tax(column) in with_tax]
    roles |= dict.fromkeys(net, "not a price")
    return [column for column in prices if column not in net]


def _but_for_tax(column: str) -> str:
    return distinction(gross_name(column), alone=False)


def _mostly_priced(table: Table, currency: str) -> bool:
    """Whether most rows without column names hold a price; else it is a sheet of facts about one thing."""
    rows = [row for row in table.rows if len(row.cells) > 1]
    priced = [row for row in rows if any(_bare_price(value, currency) for _, value in row.cells[1:])]
    return 2 * len(priced) > len(rows)


def _bare_price(value: str, currency: str) -> bool:
    """Whether a cell can only be a price, whatever its column is called."""
    try:
        return not read_price(value, currency).plain
    except Unclear:
        return sign_in(value) != "" and len(value) < 30 and re.search(r"\d", value) is not None


def _of_row(row: Row, table: Table, layout: _Layout, currency: str) -> Iterator[Offer | Unread]:
    if len(row.cells) == 1:
        if re.search(r"\d", row.text) and sign_in(row.text):
            yield Unread(row.text, "name and price are not in cells of their own")
        return
    try:
        draft, prices = (_named if layout.named else _unnamed)(row, table, layout, currency)
    except Unclear as error:
        yield Unread(row.text, str(error))
        return
    try:
        if draft.length:
            draft = replace(draft, minutes=minutes_of(draft.length, _column_of(row, draft.length)))
    except Unclear as error:
        yield Unread(row.text, f"«{draft.length}»: {error}")
    yield from _priced(draft, prices, row, table, layout, currency)


def _column_of(row: Row, value: str) -> str:
    return next(name for name, held in row.cells if held == value)


def _named(row: Row, table: Table, layout: _Layout, _: str) -> tuple[Offer, list[tuple[str, str]]]:
    """What a row with column names offers, still without its price, and its price cells. Raises Unclear."""
    held: dict[Role, list[tuple[str, str]]] = defaultdict(list)
    for column, value in row.cells:
        if not says_nothing(value):
            held[layout.roles[column]].append((column, value))
    names = [value for _, value in held["name"]]
    if len(names) > 1:
        names = _only_name(held["name"])
    if not names:
        raise Unclear("the row names no service")
    lengths = [value for _, value in held["duration"]]
    if len(lengths) > 1:
        raise Unclear("two lengths in one row")
    group = next((value for _, value in held["group"]), "") or (table.headings[-1] if table.headings else "")
    draft = Offer(
        name=_name(names[0]),
        variant="",
        group=group,
        length="".join(lengths),
        minutes=None,
        price=Price(None),
        language=table.language,
        row=row.text,
        details=tuple(held["other"]),
    )
    return draft, held["price"]


def _only_name(cells: list[tuple[str, str]]) -> list[str]:
    """The first of several naming columns; two cells of one column are two services side by side."""
    if len({column for column, _ in cells}) < len(cells):
        raise Unclear("two services stand in one row: give each a row of its own")
    return [cells[0][1]]


def _unnamed(row: Row, table: Table, _: _Layout, currency: str) -> tuple[Offer, list[tuple[str, str]]]:
    """The same for a row without column names, told by what its cells look like. Raises Unclear."""
    values = [value for _, value in row.cells]
    prices = [value for value in values[1:] if _bare_price(value, currency)]
    lengths = [value for value in values[1:] if is_length(value)]
    if len(prices) != 1 or len(lengths) > 1:
        raise Unclear("without column names a row must hold one name and one price with its currency")
    group = table.headings[-1] if table.headings else ""
    draft = Offer(_name(values[0]), "", group, "".join(lengths), None, Price(None), table.language, row.text)
    return draft, [("", prices[0])]


def _name(cell: str) -> str:
    name = cell.strip(" *•·-–—:")
    if not _LETTERS.search(name):
        raise Unclear(f"«{cell}» is no name of a service")
    if _NO_SERVICE.search(name) or role_of(name) == "price":
        raise Unclear(f"«{name}» is no service")
    if len(name) > _MOST_NAME:
        raise Unclear("a name this long is a text: put the description in a column of its own")
    return name


def _priced(
    draft: Offer,
    cells: list[tuple[str, str]],
    row: Row,
    table: Table,
    layout: _Layout,
    currency: str,
) -> Iterator[Offer | Unread]:
    """The draft with each price of its row; a column of its own makes a variant of it."""
    if not cells:
        yield Unread(row.text, "no price is written")
    variants = [distinction(column, alone=layout.alone) for column, _ in cells]
    for (column, value), variant in zip(cells, variants, strict=True):
        if variants.count(variant) > 1:
            yield Unread(row.text, f"«{value}»: nothing tells which of several prices this is")
            continue
        try:
            price = _price(value, column, row, table, layout, currency)
        except Unclear as error:
            yield Unread(row.text, f"«{value}»: {error}")
            continue
        if is_length(variant):
            yield replace(draft, variant=variant, length=variant, minutes=minutes_of(variant), price=price)
        else:
            yield replace(draft, variant=variant, price=price)


def _price(value: str, column: str, row: Row, table: Table, layout: _Layout, currency: str) -> Price:
    """Raises Unclear."""
    if is_net(column):
        raise Unclear("a column without tax: the record holds prices with tax, write those")
    price = read_price(value, currency)
    if price.plain and (sign := sign_in(column)):
        price = read_price(f"{value} {sign}", currency)
    return replace(price, unit=price.unit or _unit_beside(row, column, table, layout))


def _unit_beside(row: Row, column: str, table: Table, layout: _Layout) -> PriceUnit | None:
    """The unit said outside the price's own cell: in a column of units, the column's name, the heading."""
    for name, value in row.cells:
        if layout.roles.get(name) == "unit" and not says_nothing(value):
            return unit_of(value)
    return unit_in(column) or (unit_in(table.headings[-1]) if table.headings else None)


def _told_apart(namesakes: Sequence[Offer]) -> Sequence[Offer]:
    """Offers of one name as variants where their length, group or one more column tells them apart.

    What is said twice is kept once. Where nothing tells different prices apart they stay as they are: a
    conflict.
    """
    said = list({(o.minutes, replace(o.price, plain=False)): o for o in reversed(namesakes)}.values())[::-1]
    if len(said) == 1 or said[0].variant:
        return said
    columns = dict.fromkeys(column for offer in said for column, _ in offer.details)
    for told in (
        [offer.length if offer.minutes else "" for offer in said],
        [offer.group for offer in said],
        *([dict(offer.details).get(column, "") for offer in said] for column in columns),
    ):
        if all(told) and len(set(map(same_name, told))) == len(said) and max(map(len, told)) < _MOST_VARIANT:
            return [replace(offer, variant=words) for offer, words in zip(said, told, strict=True)]
    return said


def _fact(offer: Offer) -> ServiceFact:
    name = f"{offer.name} ({offer.variant})" if offer.variant else offer.name
    by_length = not offer.variant or is_length(offer.variant)
    base, minutes = offer.name, offer.minutes
    if minutes is None and (behind := _length_behind(offer.name)):
        base, minutes = behind
    lengthened = base if by_length else name
    also = [f"{lengthened} {minutes} {word}" for word in _LENGTH_WORDS] if minutes else []
    if offer.variant and not by_length:
        also.append(f"{offer.variant} {offer.name}")
    return ServiceFact(
        name=name,
        also=tuple(also),
        base=base,
        by_length=by_length,
        language=offer.language,
        duration_minutes=minutes,
        on_request=offer.price.low is None,
        price=offer.price.low,
        price_max=offer.price.high,
        price_unit=offer.price.unit,
        row=offer.row,
    )


def _length_behind(name: str) -> tuple[str, int] | None:
    """ "Massaggio rilassante 50 min" as its name and its minutes."""
    found = _LENGTH_BEHIND.match(name)
    if found is None:
        return None
    try:
        return found["base"].strip(), minutes_of(found["length"])
    except Unclear:
        return None
