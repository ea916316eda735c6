"""Who may do what: every route × every role × every other business, against the table in matrix.yaml."""

from tests.api.house import House
from tests.api.matrix import WHO, measured, printed, routes_of, table


def test_every_route_is_in_the_table_and_nothing_else(house: House) -> None:
    """A new route needs a line there: who may use it is decided, never left to chance."""
    assert set(routes_of(house.app)) == set(table())


def test_every_line_says_what_everybody_gets() -> None:
    for route, row in table().items():
        changes = route.startswith("POST /console")
        assert set(row) == set(WHO) - (set() if changes else {"forged"}), route


async def test_everybody_gets_what_the_table_says(house: House) -> None:
    cells = await measured(house)
    wrong = [cell for cell in cells if not cell.right]
    assert wrong == [], "\n".join(f"{cell}" for cell in wrong)
    assert len(cells) > 8 * len(table())
    assert "**" not in printed(cells)
