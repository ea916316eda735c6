"""Upgrades, backups and restores: what page and files of deploy/ say of them, tried where it can be."""

import os
import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from sara.settings import Settings
from tests.deploy.test_files import COMPOSE, DEPLOY, MANIFESTS, ROOT, UNITS, _guide, _is_command, _workloads


def _unit(name: str) -> list[tuple[str, str]]:
    """The settings of a unit, in order."""
    lines = (DEPLOY / "systemd" / name).read_text("utf-8").splitlines()
    return [(key, value) for key, _, value in (line.partition("=") for line in lines if line[:1] not in "[#")]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_no_unit_is_cut_off_while_it_prepares(unit: Path) -> None:
    """systemd ends what comes before ExecStart after 90 s, but for units of one shot."""
    settings = _unit(unit.name)
    found = dict(settings)
    if "ExecStartPre" in found and found.get("Type") != "oneshot":
        assert found["TimeoutStartSec"] == "infinity"
    assert found.get("TimeoutStartSec", "infinity") == "infinity"


def _aged(folder: Path) -> set[str]:
    """Backups of several days; the names of those to be kept."""
    days = {
        "sara-20260101T031500Z.dump": 40,
        "sara-20260201T031500Z.dump": 3,
        ".sara-20260201T031500Z.dump.partial": 3,  # of one that was killed
        ".sara-20260204T031500Z.dump.partial": 0,  # of one at work
        "before-upgrade.dump": 40,
    }
    for name, age in days.items():
        (folder / name).touch()
        os.utime(folder / name, times=(time.time() - age * 86400,) * 2)
    return set(days) - {"sara-20260101T031500Z.dump", ".sara-20260201T031500Z.dump.partial"}


def test_old_backups_go_also_where_tonights_fails(tmp_path: Path) -> None:
    settings = _unit("sara-backup.service")
    kept = _aged(tmp_path)
    [(key, command)] = [(key, value) for key, value in settings if "/usr/bin/find " in value]
    assert (key, command[0]) == ("ExecStartPre", "-"), "before the backup, and not in its way"
    # As systemd starts it: no shell that reads the patterns.
    words = command[1:].replace("/var/lib/sara/backups", str(tmp_path)).split()
    subprocess.run(words, check=True, cwd=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert dict(settings)["WorkingDirectory"] == "/var/lib/sara"


def test_make_clean_leaves_the_data_of_a_business_alone() -> None:
    [rule] = re.findall(r"^clean:.*\n((?:\t.*\n?)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    folder = Settings.model_fields["data_dir"].default
    assert str(folder) not in rule.split()
    assert "$(DATA)" not in rule


def _compose_commands() -> list[list[str]]:
    """Every `docker compose …` of the page's blocks: what follows `-f deploy/compose.yaml`."""
    texts = re.findall(r"^```text\n(.*?)^```", _guide(), re.MULTILINE | re.DOTALL)
    lines = re.findall(r"docker compose -f deploy/compose\.yaml ([^;#>\n]+)", "\n".join(texts))
    return [line.split() for line in lines]


def test_what_the_page_writes_and_reads_in_docker_is_outside_of_the_container() -> None:
    """Its own file system cannot be written to, and what is in a tmpfs goes with it."""
    mounts = [mount.split(":")[1] for mount in COMPOSE["services"]["app"]["volumes"]]
    written: list[str] = []
    lost = COMPOSE["services"]["app"]["tmpfs"]
    for words in _compose_commands():
        if "app" not in words:
            continue
        arguments = words[words.index("app") + 1 :]
        if words[0] == "exec":
            assert arguments.pop(0) == "sara"
        some_file = str(ROOT / "README.md")  # a dump that is there
        _is_command([some_file if word.endswith(".dump") else word for word in arguments])
        if arguments[0] in ("backup", "restore"):
            [target] = arguments[1:]
            written.append(target)
            assert any(Path(target).is_relative_to(mount) for mount in mounts), target
            assert not any(Path(target).is_relative_to(place) for place in lost)
    assert len(written) >= 4, "by hand, every night, back, and before an upgrade"


def test_a_restore_in_docker_comes_before_the_migration() -> None:
    """`app` waits for `migrate`, which fills the database: a restore wants it empty."""
    assert "migrate" in COMPOSE["services"]["app"]["depends_on"]
    commands = _compose_commands()
    [restore] = [at for at, words in enumerate(commands) if "restore" in words]
    for words in commands:
        if words[0] == "run":
            assert words[:4] == ["run", "--rm", "--no-deps", "app"]
    assert commands[restore - 2 : restore] == [["down"], ["up", "-d", "--wait", "database"]]
    volume = f"{COMPOSE['name']}_database"
    guide = _guide()
    order = ("yaml down\n", f"\ndocker volume rm {volume}\n", "--wait database")
    places = [guide.index(part) for part in order]
    assert places == sorted(places)
    assert commands[restore + 1] == ["up", "-d"]
    assert "NOSUPERUSER" not in guide, "PostgreSQL 16 refuses it for the role a server was set up with"


def test_old_backups_of_docker_go_as_those_of_systemd(tmp_path: Path) -> None:
    [line] = re.findall(r"^\d+ \d+ \* \* \* root .+$", _guide(), re.MULTILINE)
    assert "%" not in line, "cron takes it for the end of the line"
    assert "exec -T app sara backup" in line, "cron has no terminal"
    kept = _aged(tmp_path)
    [command] = re.findall(r"(find /var/backups/sara .*?);", line)
    words = shlex.split(command.replace("/var/backups/sara", str(tmp_path)))
    subprocess.run(words, check=True, cwd=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_the_page_says_how_each_installation_gets_a_new_version() -> None:
    upgrade = _guide().partition("\n## Upgrade\n")[2]
    for command in ("compose.yaml build\n", "make setup", "systemctl restart sara-serve", "manifests"):
        assert command in upgrade


def _of(kind: str, name: str) -> dict[str, Any]:
    [found] = [m for m in MANIFESTS if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def test_what_runs_sara_is_applied_after_the_migration() -> None:
    [first, wait, then] = re.findall(r"^kubectl (?:apply|-n sara wait) .+$", _guide(), re.MULTILINE)
    wanted = re.search(r"-l '(\S+) notin \((.+)\)'$", first)
    assert wanted is not None
    label, later = wanted[1], set(wanted[2].split(", "))
    [job] = [m for m in MANIFESTS if m["kind"] == "Job"]
    for manifest in MANIFESTS:
        # Like kubectl: what has no such label is not in the list either.
        own = manifest["metadata"].get("labels", {}).get(label)
        assert (own in later) is (manifest["kind"] == "Deployment"), manifest["metadata"]["name"]
    assert "--for=condition=complete" in wait.split()
    assert "--timeout=1h" in wait.split(), "kubectl gives up after half a minute by itself"
    assert wait.split()[-1] == f"job/{job['metadata']['name']}"
    assert then == "kubectl apply -f deploy/kubernetes/sara.yaml"
    pods = [m["spec"]["template"]["spec"] for m in _workloads()]
    [version] = {one["image"].partition(":")[2] for pod in pods for one in pod["containers"]}
    assert job["metadata"]["name"].endswith(version.replace(".", "-"))


def test_a_new_worker_that_ends_at_once_replaces_none() -> None:
    """A pod without a probe is ready with its first second."""
    for manifest in MANIFESTS:
        if manifest["kind"] != "Deployment":
            continue
        spec = manifest["spec"]
        [container] = spec["template"]["spec"]["containers"]
        assert "readinessProbe" in container or spec["minReadySeconds"] >= 30, manifest["metadata"]["name"]
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_how_many_there_are_is_said_once() -> None:
    """`replicas` beside an autoscaler sets its number back with every apply."""
    for manifest in MANIFESTS:
        if manifest["kind"] == "HorizontalPodAutoscaler":
            target = _of("Deployment", manifest["spec"]["scaleTargetRef"]["name"])
            assert "replicas" not in target["spec"]
