"""Requests by the interface's own description, and by its opposite: none of them ends in a server error.

SARA_FUZZ_CASES sets how many are tried of each operation (2 when it is not set, and only what tells most):

    SARA_FUZZ_CASES=2000 pytest tests/api/test_openapi.py
"""

import asyncio
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import schemathesis
from fastapi import APIRouter, FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from hypothesis.internal.conjecture import utils
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation

from api.console.app import install
from tests.api.house import House, Person

CASES = int(os.environ.get("SARA_FUZZ_CASES", "2"))
pytestmark = pytest.mark.timeout(300 + 20 * CASES)
# What loads the models of `sara worker`, what never ends, and what would end the session that asks.
LEFT_OUT = {
    "/console/{business}/knowledge/ask",
    "/console/{business}/knowledge/upload",
    "/console/{business}/live",
    "/console/logout",
}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
WHOLE = "SARA_FUZZ_CASES" in os.environ
ASKED = [
    (part, role, mode)
    for part in ("api", "console")
    for role in ("nobody", "agent", "admin")
    for mode in MODES
    if WHOLE
    or (part, role, mode) in (("api", "nobody", MODES[0]), ("api", "admin", MODES[1]))
    or (part, role, mode) == ("console", "admin", MODES[0])
]
HEADERS = {"Accept": "application/json"}


class Many(utils.many):
    """Asked as hypothesis-jsonschema 0.23 asks: hypothesis 6.170 wants a `with` and a `for` instead."""

    _elements: Iterator[None] | None = None

    def more(self) -> bool:
        if self._elements is None:
            self._elements = iter(self.__enter__())
        if next(self._elements, self) is self:
            self.__exit__(None)
            return False
        return True


@pytest.fixture(autouse=True)
def _understand_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(utils.many, "more"):
        monkeypatch.setattr("hypothesis_jsonschema._from_schema.cu", SimpleNamespace(many=Many))


class Described(FastAPI):
    """An application that tells of everything in it; ours keeps the console's pages to itself."""

    def include_router(self, router: APIRouter, **how: Any) -> None:
        super().include_router(router, **{**how, "include_in_schema": True})


def console() -> FastAPI:
    described = Described(title="console")
    install(described)
    return described


def operations(app: FastAPI) -> Iterator[APIOperation[Any, Any, Any]]:
    for found in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
        operation = found.ok()
        if operation.path not in LEFT_OUT:
            yield operation


def broken(house: House, app: FastAPI, who: Person, mode: GenerationMode) -> list[str]:
    """Every operation with what fits its description, or with what does not; what ended in a 5xx."""
    found = []
    with requests.Session() as web:
        for operation in operations(app):
            try:
                _ask(house, operation, mode, who, web)
            except Unsatisfiable:  # nothing is sent there, so there is nothing to get wrong
                assert mode is GenerationMode.NEGATIVE, operation.path
            except AssertionError as error:
                found.append(f"{operation.method} {operation.path}: {error}")
    return found


def _ask(
    house: House,
    operation: APIOperation[Any, Any, Any],
    mode: GenerationMode,
    who: Person,
    web: requests.Session,
) -> None:
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=not WHOLE,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def ask(case: Any, at_home: bool) -> None:
        if at_home and "business" in (case.path_parameters or {}):
            case.path_parameters["business"] = house.other
        if isinstance(case.body, dict) and case.media_type != "application/json":
            case.body["csrf"] = who.csrf
        answer = case.call(base_url=house.url, session=web, headers={**HEADERS, **who.headers}, timeout=30)
        assert answer.status_code < 500, f"{answer.status_code} {case.as_curl_command()} {answer.text[:300]}"

    ask()


@pytest.mark.parametrize(("part", "role", "mode"), ASKED)
async def test_no_request_ends_in_a_server_error(
    house: House, part: str, role: str, mode: GenerationMode
) -> None:
    if role == "nobody":
        who = house.people["nobody"][0]
    else:
        who = next(one for one in house.people["foreign"] if one.email.startswith(role))
    app = house.app if part == "api" else console()
    assert await asyncio.to_thread(broken, house, app, who, mode) == []
    await house.rows("DELETE FROM login_failure")
