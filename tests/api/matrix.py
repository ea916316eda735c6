"""The matrix of role × endpoint × business: measured against the real application, printed for an auditor.

    python -m tests.api.matrix

starts a database of its own with two businesses, asks every route of the application as everybody named in
matrix.yaml, and prints what each of them got; it exits with 1 where that is not what the table says.
"""

import asyncio
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.api.house import MARK, House, Person, open_house

TABLE = Path(__file__).with_name("matrix.yaml")
WHO = ("nobody", "agent", "supervisor", "admin", "foreign", "smuggled", "ended", "disabled", "forged")
INSIDE = ("agent", "supervisor", "admin")
JSON = {"Accept": "application/json"}

# What is sent along where an empty form would be refused before it is looked whose it is.
SENT: Mapping[str, dict[str, Any]] = {
    "POST /api/businesses/{business}/handoffs/{handoff_id}/reply": {"json": {"text": "Ecco"}},
    "POST /api/businesses/{business}/handoffs/{handoff_id}/back": {"json": {}},
    "POST /api/businesses/{business}/handoffs/{handoff_id}/resolve": {"json": {}},
    "POST /api/businesses/{business}/outbox/{outbox_id}/retry": {"json": {}},
    "POST /console/{business}/knowledge/facts/{proposal_id}": {"data": {"verdict": "reject"}},
    "POST /console/{business}/settings/factor-reset": {"data": {"person": "999999"}},
    "POST /console/{business}/calendar/{appointment_id}/attendance": {"data": {"came": "yes"}},
    "POST /console/{business}/c/{conversation_id}/template": {"data": {"name": "none"}},
    "POST /console/{business}/c/{conversation_id}/canned": {"data": {"title": "Orari", "text": "9-13"}},
    "POST /console/{business}/c/{conversation_id}/note": {"data": {"text": "Richiamare"}},
}
# An empty form says nothing about who may fill it in.
EMPTY_IS_FINE = (409, 422)


@dataclass(frozen=True)
class Cell:
    """One question and its answer: `leaked` is a word of the business in an answer to somebody outside it."""

    route: str
    who: str
    expected: str
    status: int
    leaked: bool

    @property
    def right(self) -> bool:
        """Whether the answer is what the table says."""
        return not self.leaked and (
            self.status == int(self.expected) if self.expected.isdigit() else self._let_in()
        )

    def _let_in(self) -> bool:
        fine = EMPTY_IS_FINE if self.route.startswith("POST") else ()
        return 200 <= self.status < 300 or self.status == 303 or self.status in fine


def table() -> dict[str, dict[str, str]]:
    """What everybody must get, by route: "in" or a status."""
    read = yaml.safe_load(TABLE.read_text("utf-8"))
    guards = {name: {w: str(s) for w, s in row.items()} for name, row in read["guards"].items()}
    return {route: guards[guard] for route, guard in read["routes"].items()}


def routes_of(app: FastAPI) -> Iterator[str]:
    """Every method and path the application's router knows, in its order."""
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield f"{method} {route.path}"


async def measured(house: House) -> list[Cell]:
    """Asks everything as everybody: first those who must not get in, and looks that nothing was changed."""
    expected = table()
    before = await house.fingerprint()
    cells = []
    async with httpx.AsyncClient(base_url=house.url, headers=JSON, timeout=60) as web:
        for who in (one for one in WHO if one not in INSIDE):
            for route, row in expected.items():
                if who in row:
                    cells += [await _ask(web, house, route, who, row[who], one) for one in house.people[who]]
        changed = before ^ await house.fingerprint()
        if changed:
            raise AssertionError(f"somebody outside changed rows: {sorted(name for name, _ in changed)}")
        for who in INSIDE:
            for route, row in expected.items():
                cells += [await _ask(web, house, route, who, row[who], one) for one in house.people[who]]
    return cells


async def _ask(
    web: httpx.AsyncClient, house: House, route: str, who: str, expected: str, person: Person
) -> Cell:
    method, _, path = route.partition(" ")
    ids = await house.ids(route, fresh=who in INSIDE)
    business = house.other if who == "smuggled" else house.business
    filled = path.format(**{**ids, "business": business})
    sent = dict(SENT.get(route, {}))
    if method == "POST" and "/console" in path:
        sent["data"] = {**sent.get("data", {}), "csrf": "" if who == "forged" else person.csrf}
        if path == "/console/login":  # not always the same one: failures are counted
            sent["data"]["email"] = f"{secrets.token_hex(4)}@nobody.example"
        if path.endswith("/logout") and who != "forged":
            person = await house.again(person)
            sent["data"]["csrf"] = person.csrf
    headers = {**person.headers, **({"Origin": "https://evil.example"} if who == "forged" else {})}
    async with web.stream(method, filled, headers=headers, **sent) as answer:
        endless = answer.headers.get("content-type", "").startswith("text/event-stream")
        body = b"" if endless else await answer.aread()
    told = MARK.encode() in body and who not in INSIDE and not path.startswith("/calendars/")
    return Cell(route, who, expected, answer.status_code, told)


def printed(cells: list[Cell]) -> str:
    """The matrix as a Markdown table: what was answered, and in bold what should not have been."""
    by_route: dict[str, dict[str, list[Cell]]] = {}
    for cell in cells:
        by_route.setdefault(cell.route, {}).setdefault(cell.who, []).append(cell)
    lines = ["| route | " + " | ".join(WHO) + " |", "|---" * (len(WHO) + 1) + "|"]
    for route, row in by_route.items():
        lines.append(f"| `{route}` | " + " | ".join(_shown(row.get(who, [])) for who in WHO) + " |")
    return "\n".join(lines)


def _shown(cells: list[Cell]) -> str:
    words = sorted({f"{cell.status}" if cell.right else f"**{cell.status}**" for cell in cells})
    return " ".join(words) + (" **leak**" if any(cell.leaked for cell in cells) else "")


async def _main() -> int:
    with tempfile.TemporaryDirectory(prefix="sara-matrix-") as folder:
        async with open_house(Path(folder)) as house:
            known, asked = set(table()), set(routes_of(house.app))
            cells = await measured(house)
    print(printed(cells))
    wrong = [cell for cell in cells if not cell.right]
    print(f"\n{len(cells)} questions, {len(wrong)} wrong answers", file=sys.stderr)
    for route in sorted(asked ^ known):
        print(f"not in both the application and the table: {route}", file=sys.stderr)
    return 1 if wrong or asked != known else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
