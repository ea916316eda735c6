"""Alert rules, dashboard and documentation against the metrics that there are. promtool is not needed."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from prometheus_client import Metric

from api.gauges import DatabaseGauges
from api.metrics import Metrics
from jobs.exposition import Exposition
from jobs.looks import Disk
from jobs.metrics import WorkMetrics
from tests.deploy.promql import named
from tests.sara.test_docs import anchors

ROOT = Path(__file__).parents[2]
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text("utf-8"))
SCRAPED: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text("utf-8"))
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/sara.json").read_text("utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
TARGET_LABELS = {"job", "instance"}  # put there by Prometheus
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}

DURATION = {"type": "string", "pattern": r"^\d+[smhd]$"}
# https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
RULE_FILE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["groups"],
    "properties": {
        "groups": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "rules"],
                "properties": {
                    "name": {"type": "string", "pattern": "^sara-"},
                    "interval": DURATION,
                    "rules": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["alert", "expr", "labels", "annotations"],
                            "properties": {
                                "alert": {"type": "string", "pattern": "^Sara[A-Z][A-Za-z]+$"},
                                "expr": {"type": "string", "minLength": 3},
                                "for": DURATION,
                                "labels": {
                                    "type": "object",
                                    "additionalProperties": False,
                                    "required": ["severity"],
                                    "properties": {"severity": {"enum": ["page", "ticket", "info"]}},
                                },
                                "annotations": {
                                    "type": "object",
                                    "additionalProperties": False,
                                    "required": ["summary", "runbook_url"],
                                    "properties": {
                                        "summary": {"type": "string", "minLength": 10, "maxLength": 120},
                                        "runbook_url": {"type": "string"},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


@cache
def families() -> dict[str, Metric]:
    """Everything a serving and a working process can show, by name."""
    exposition = Exposition()
    WorkMetrics(exposition.counted)
    Metrics(exposition)
    exposition.look_at(Disk(ROOT))
    exposition.pools["record"] = dict
    return {family.name: family for family in (*exposition.all.collect(), *DatabaseGauges().describe())}


@cache
def samples() -> dict[str, set[str]]:
    """The names of samples with their labels, as a query names them."""
    found = {}
    for family in families().values():
        for suffix in SUFFIXES.get(family.type, ("",)):
            found[family.name + suffix] = _labels(family) | ({"le"} if suffix == "_bucket" else set())
    return found


def _labels(family: Metric) -> set[str]:
    """The labels a metric has: from the library's own families, or from the classes that make them."""
    from_samples = {label for sample in family.samples for label in sample.labels}
    return from_samples | set(getattr(family, "_labelnames", ())) | _declared().get(family.name, set())


@cache
def _declared() -> dict[str, set[str]]:
    exposition = Exposition()
    WorkMetrics(exposition.counted)
    Metrics(exposition)
    return {
        metric._name: set(metric._labelnames)  # type: ignore[attr-defined]
        for metric in exposition.counted._collector_to_names
    }


def check(expression: str) -> None:
    """Asserts that an expression names metrics and labels that there are."""
    found = named(expression)
    assert found.metrics, expression
    for metric, labels in found.metrics.items():
        assert metric in samples(), f"no such metric: {metric}"
        assert labels <= samples()[metric] | TARGET_LABELS, f"{metric} has no such label: {labels}"
    known = {label for metric in found.metrics for label in samples()[metric]} | TARGET_LABELS
    assert found.grouped <= known, f"grouped by a label that is not there: {expression}"
    if "histogram_quantile" in found.functions:
        assert "le" in found.grouped, f"buckets are summed away: {expression}"
    if {"rate", "increase"} & found.functions:
        assert all(not families_of(metric).startswith("gauge") for metric in found.metrics), expression


def families_of(sample: str) -> str:
    """The type of the metric a sample belongs to."""
    family = next(f for f in families().values() if sample.startswith(f.name) and sample in samples_of(f))
    return str(family.type)


def samples_of(family: Metric) -> set[str]:
    return {family.name + suffix for suffix in SUFFIXES.get(family.type, ("",))}


def test_the_rules_have_the_shape_prometheus_reads() -> None:
    jsonschema.validate(ALERTS, RULE_FILE)
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))
    assert SCRAPED["rule_files"] == ["alerts.yaml"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_asks_for_what_there_is_and_says_what_to_do(rule: dict[str, Any]) -> None:
    check(rule["expr"])
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        assert label in named(rule["expr"]).grouped
    file, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert file == "docs/troubleshooting.md"
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(ROOT / file)


def test_every_alert_explained_is_a_rule() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
    assert set(re.findall(r"^### (Sara\w+)$", text, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_the_checks_of_these_tests_can_fail() -> None:
    for wrong in (
        "sara_queue_depth > 1",  # no such metric
        'sara_queue_jobs{name="turns"} > 1',  # no such label
        "max by (tenant) (sara_queue_jobs)",  # no such label to group by
        "rate(sara_queue_jobs[5m])",  # a gauge has no rate
        "histogram_quantile(0.9, sum(rate(sara_turn_seconds_bucket[5m])))",  # summed over its buckets
    ):
        with pytest.raises(AssertionError):
            check(wrong)
    for broken in ("max(sara_queue_jobs", "sara_queue_jobs{queue=turns}", "typo(sara_queue_jobs)", "sum > 1"):
        with pytest.raises(ValueError, match=r"."):
            check(broken)


def panels() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        if panel["type"] != "row":
            yield panel


@pytest.mark.parametrize("panel", list(panels()), ids=lambda panel: panel["title"])
def test_every_panel_asks_for_what_there_is(panel: dict[str, Any]) -> None:
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        check(target["expr"])
        for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
            known = named(target["expr"])
            assert label in known.grouped | TARGET_LABELS | {x for m in known.metrics for x in samples()[m]}


def test_the_dashboard_is_one_that_grafana_lays_out() -> None:
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    text = json.dumps(DASHBOARD)
    assert set(re.findall(r"\$\{?(\w+)\}?", text)) - {"__rate_interval"} <= variables
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        references = [target["refId"] for target in panel.get("targets", [])]
        assert len(references) == len(set(references))


def test_every_metric_of_ours_is_documented_and_watched_somewhere() -> None:
    document = (ROOT / "docs/observability.md").read_text("utf-8")
    ours = {name: family for name, family in families().items() if name.startswith("sara_")}
    counted = {name + ("_total" if family.type == "counter" else "") for name, family in ours.items()}
    assert set(re.findall(r"^\| `(sara_\w+)`", document, re.MULTILINE)) == counted
    used = {metric for p in panels() for target in p["targets"] for metric in named(target["expr"]).metrics}
    used |= {metric for rule in RULES for metric in named(rule["expr"]).metrics}
    unseen = {name for name, family in ours.items() if not samples_of(family) & used}
    assert unseen <= {"sara_pool_connections_most", "sara_pool_failures"}


def test_labels_name_kinds_of_things_and_nobody() -> None:
    labels = {label for name, found in samples().items() if name.startswith("sara_") for label in found}
    work = {"outcome", "intent", "language", "node", "result", "code", "reason", "model"}
    assert labels <= work | {"kind", "status", "route", "queue", "state", "pool", "le"}


def test_jobs_of_the_scraping_example_are_those_of_the_rules() -> None:
    jobs = {job["job_name"] for job in SCRAPED["scrape_configs"]}
    for rule in RULES:
        for pattern in re.findall(r'job=~"([^"]+)"', rule["expr"]):
            assert all(re.fullmatch(pattern, job) for job in jobs)
    unit = (ROOT / "deploy/systemd/sara-worker@.service").read_text("utf-8")
    assert "Environment=SARA_METRICS_PORT=910%i" in unit
    targets = [t for job in SCRAPED["scrape_configs"] for s in job["static_configs"] for t in s["targets"]]
    assert {"127.0.0.1:9101", "127.0.0.1:9102"} <= set(targets)


def test_the_units_make_the_folder_that_metrics_are_added_up_in() -> None:
    """Without it nothing starts: prometheus_client writes there with the first counter."""
    guide = (ROOT / "docs/observability.md").read_text("utf-8")
    [folder] = re.findall(r"^PROMETHEUS_MULTIPROC_DIR=(\S+)", guide, re.MULTILINE)
    for name in ("sara-serve.service", "sara-worker@.service"):
        unit = (ROOT / "deploy/systemd" / name).read_text("utf-8").splitlines()
        [made] = [line.partition("=")[2] for line in unit if line.startswith("RuntimeDirectory=")]
        assert f"/run/{made}" == folder
        assert "RuntimeDirectoryPreserve=yes" in unit, "or one that stops takes it from the others"


def test_workers_whose_number_makes_no_port_are_told_of() -> None:
    for path in ("docs/observability.md", "deploy/systemd/sara-worker@.service"):
        text = (ROOT / path).read_text("utf-8")
        assert "systemctl edit sara-worker@10" in text
        assert "Environment=SARA_METRICS_PORT=9110" in text
