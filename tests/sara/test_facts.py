"""From a price list in a file to an answer that quotes it, on the command line."""

import json
import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from crm.businesses import Profile
from knowledge.validity import Validity
from sara.commands.facts import _read

AURORA = Path(__file__).parents[2] / "knowledge/businesses/aurora.yaml"
CSV = """Servizio;Durata;Prezzo
Massaggio rilassante;50 minuti;71,50 €
Massaggio rilassante XXL;110 minuti;120,00 €
Manicure;40 min;25,00 €
Taglio;—;da 30 €
"""
MARKDOWN = """---
language: it
---
# Listino nuovo

| Trattamento | Durata | Prezzo |
|---|---|---|
| Manicure | 40 min | 27,00 € |
| Trucco sposa | 1 h 30 | su preventivo |

## Orari di apertura

| Giorno | Apertura | Chiusura |
|---|---|---|
| Domenica | chiuso | |
"""


@pytest.fixture
def shop(sara, tmp_path: Path) -> str:
    """A business of the test's own, entered from a file; its slug."""
    number = secrets.randbelow(10**9)
    described: dict[str, Any] = yaml.safe_load(AURORA.read_text("utf-8"))
    services = [s for s in described["services"] if s["key"].startswith("massaggio_rilassante")]
    giulia = {**described["resources"][0], "skills": [service["key"] for service in services]}
    described |= {
        "slug": f"bottega-{number}",
        "name": "Bottega del Benessere",
        "phone_number_id": f"88{number}",
        "services": services,
        "resources": [giulia],
        "agents": [{"name": "Anna Rossi", "email": f"anna@bottega-{number}.example", "role": "admin"}],
    }
    file = tmp_path / "bottega.yaml"
    file.write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    assert sara("business", "add", file).code == 0
    return str(described["slug"])


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "listino.csv").write_text(CSV, encoding="utf-8")
    return folder


def as_json(sara, *arguments: object, code: int = 0) -> dict[str, Any]:
    ran = sara("facts", *arguments, "--json")
    assert ran.code == code, ran
    report = json.loads(ran.out)
    assert isinstance(report, dict)
    return report


def by_name(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in report["proposals"]}


def test_a_price_list_is_proposed_accepted_and_quoted(sara, shop: str, lists: Path) -> None:
    report = as_json(sara, "propose", lists, "--business", shop, "--missing")
    rows = by_name(report)
    change = rows["Massaggio rilassante"]
    assert (change["field"], change["old"], change["new"]) == ("price", "65.00", "71.50")
    assert change["document"] == "listino.csv"
    assert "71,50 €" in change["row"]
    assert (rows["Manicure"]["kind"], rows["Manicure"]["new"]) == ("new_service", "25.00, 40 min")
    assert rows["Massaggio rilassante XXL"]["question"] == "like «Massaggio rilassante», 50 min: same?"
    [unread] = report["unread"]
    assert "Taglio" in unread["row"]
    assert "lowest price" in unread["reason"]
    assert report["missing"] == [{"key": "massaggio_rilassante_lungo", "name": "Massaggio rilassante lungo"}]
    assert as_json(sara, "propose", lists, "--business", shop)["added"] == 0
    done = as_json(sara, "accept", "--business", shop, "--all")
    assert {row["name"] for row in done["accepted"]} == {"Massaggio rilassante", "Manicure"}
    assert [row["id"] for row in done["left"]] == [rows["Massaggio rilassante XXL"]["id"]]
    answered = sara("facts", "accept", "--same", rows["Massaggio rilassante XXL"]["id"], "--business", shop)
    assert answered.out == "accepted 1: propose again to compare prices\n"
    question = "Quanto costa la manicure?"
    ran = sara("chat", "--business", shop, "--from", "+393470000301", "--text", question, "--json")
    assert ran.code == 0, ran.err
    assert "25,00 €" in json.loads(ran.out)["reply"]
    question = "Quanto costa un massaggio rilassante?"
    ran = sara("chat", "--business", shop, "--from", "+393470000302", "--text", question, "--json")
    turn = json.loads(ran.out)
    assert "71,50 €" in turn["reply"]
    assert "65,00" not in turn["reply"]


def test_lists_that_contradict_each_other_are_shown_and_settled(sara, shop: str, lists: Path) -> None:
    (lists / "nuovo.md").write_text(MARKDOWN, encoding="utf-8")
    shown = sara("facts", "propose", lists, "--business", shop).out
    assert "new service «Manicure»: 27.00, 40 min" in shown
    assert "conflict with #" in shown
    assert "sun: 10:00–16:00 → closed" in shown
    assert "unread listino.csv: Servizio: Taglio" in shown
    listed = as_json(sara, "list", "--business", shop)["proposals"]
    old, new = (row for row in listed if row["name"] == "Manicure")
    assert (old["conflicts_with"], new["conflicts_with"]) == ([new["id"]], [old["id"]])
    refused = sara("facts", "accept", new["id"], "--business", shop)
    assert f"#{new['id']} (27.00, 40 min, nuovo.md) contradicts #{old['id']}" in refused.one_line
    assert sara("facts", "reject", old["id"], "--business", shop).out == "rejected 1\n"
    assert sara("facts", "accept", new["id"], "--business", shop).out == "accepted 1\n"
    assert "is accepted" in sara("facts", "accept", new["id"], "--business", shop).one_line
    assert f"#{old['id']}" not in sara("facts", "list", "--business", shop).out


def test_days_given_a_document_by_hand_count_for_what_it_lists(lists: Path) -> None:
    profile = cast(Profile, SimpleNamespace(business=SimpleNamespace(currency="EUR"), language="it"))
    until = Validity(None, date(2026, 5, 31))

    def listed(by_hand: Mapping[str, Validity]) -> int:
        reading = _read([lists], profile, date(2026, 6, 1), lambda words, otherwise: "it", by_hand)
        return len(reading.lists[0].services)

    assert listed({"another.csv": until}) == 3
    assert listed({"listino.csv": until}) == 0


def test_what_is_outdated_or_unreadable_is_named(sara, shop: str, tmp_path: Path) -> None:
    old = tmp_path / "listino-2019.csv"
    old.write_text("# valid_until: 2019-12-31\nServizio;Prezzo\nManicure;10 €\n", encoding="utf-8")
    broken = tmp_path / "scan.md"
    broken.write_bytes(b"\x00\x01\x02\x03" * 50)
    report = as_json(sara, "propose", old, broken, "--business", shop, code=1)
    assert report["proposals"] == []
    assert report["outdated"] == [{"document": "listino-2019.csv", "reason": "valid until 2019-12-31"}]
    assert [row["path"] for row in report["failed"]] == ["scan.md"]
    ran = sara("facts", "propose", old, "--business", shop)
    assert ran.out == "not in force listino-2019.csv: valid until 2019-12-31\n0 new, 0 open, 0 closed\n"


def test_the_lists_of_the_demo_businesses_agree_with_their_records(sara) -> None:
    documents = AURORA.parents[1] / "documents"
    for slug, names in {
        "aurora": ("listino.csv", "listino.md", "orari-e-festivita.md", "english-guide.md"),
        "conti": ("tariffe.csv", "tariffe.md", "orari-e-chiusure.md", "english-guide.md"),
        "costa-azul": ("tabela-de-precos.md", "horario-y-festivos-valencia.md", "buyers-guide.md"),
    }.items():
        files = [documents / slug / name for name in names]
        report = as_json(sara, "propose", *files, "--business", slug)
        assert (report["proposals"], report["unread"]) == ([], [])


def test_bad_usage_and_unknown_names(sara, shop: str, tmp_path: Path) -> None:
    for arguments in (
        ["accept"],
        ["accept", "1", "--all"],
        ["accept", "--same", "--all"],
        ["reject"],
        ["propose", tmp_path / "none.csv"],
    ):
        assert sara("facts", *arguments, "--business", shop).code == 2
    assert "no proposal #999999999" in sara("facts", "reject", 999999999, "--business", shop).one_line
    assert "no business is called 'nowhere'" in sara("facts", "list", "--business", "nowhere").one_line
