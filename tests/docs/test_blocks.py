"""What the documentation shows in other languages than commands, read by what reads it in production."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from standardwebhooks.webhooks import Webhook

from evals.suites.journeys import Wanted
from knowledge.business_file import load_business
from sara.play import Script
from tests.docs.conftest import ROOT
from tests.docs.shell import Block, blocks, where
from tests.docs.test_commands import DOCS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type": "quote.accepted"}'
AURORA = ROOT / "knowledge/businesses/aurora.yaml"


def shown(language: str) -> list[Block]:
    return [block for path in DOCS for block in blocks(path, language)]


@pytest.mark.parametrize("block", shown("yaml"), ids=where)
def test_yaml_is_read(block: Block, tmp_path: Path) -> None:
    read = yaml.safe_load(block.text)
    if isinstance(read, list):
        for journey in read:
            wanted = Wanted.model_validate(journey)
            Script(business="aurora", customer="+393331112222", steps=wanted.steps)
    elif "steps" in read:
        Script.model_validate(read)
    elif "metrics" in read:
        gauges = (ROOT / "api/gauges.py").read_text("utf-8")
        for metric in read["metrics"]:
            assert f'"{metric["external"]["metric"]["name"]}"' in gauges
    else:
        business = yaml.safe_load(AURORA.read_text("utf-8")) | read
        file = tmp_path / "business.yaml"
        file.write_text(yaml.safe_dump(business, allow_unicode=True), "utf-8")
        assert load_business(file).slug == "aurora"


@pytest.mark.parametrize("block", shown("json"), ids=where)
def test_an_event_has_the_names_it_is_sent_with(block: Block) -> None:
    event = json.loads(block.text)
    assert list(event) == ["type", "timestamp", "data"]
    sent = "".join(path.read_text("utf-8") for path in sorted((ROOT / "db/migrations").glob("*.sql")))
    assert {name for name in event["data"] if f"'{name}'" not in sent} == set()


@dataclass
class Request:
    headers: dict[str, str]


def signed() -> dict[str, str]:
    signature = Webhook(SECRET).sign("msg_1", datetime.now(UTC), BODY)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": signature}


@pytest.mark.parametrize("block", shown("python"), ids=where)
def test_python_verifies_what_is_signed_and_nothing_else(block: Block) -> None:
    code = compile(block.text.replace("whsec_…", SECRET), where(block), "exec")
    for body, right in ((BODY, True), (BODY.replace("accepted", "declined"), False)):
        names: dict[str, Any] = {"raw_body": body.encode(), "request": Request(signed())}
        if "verified" in block.text:
            exec(code, names)
            assert names["verified"](SECRET, signed(), body.encode()) is right
        elif right:
            exec(code, names)
            assert names["event"] == json.loads(BODY)
        else:
            with pytest.raises(Exception, match="No matching signature"):
                exec(code, names)
