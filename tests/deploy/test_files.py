"""The files of deploy/ against the programs that will read them, and against SARA itself."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from fastapi.routing import iter_route_contexts

from sara.cli import app
from sara.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
ROOT = DEPLOY.parent
UNITS = sorted((DEPLOY / "systemd").glob("*.service")) + sorted((DEPLOY / "systemd").glob("*.timer"))
MANIFESTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((DEPLOY / "kubernetes/sara.yaml").read_text("utf-8"))
)
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


def _guide() -> str:
    """The page about deployment, its commands on one line each."""
    return (ROOT / "docs/deploy.md").read_text("utf-8").replace("\\\n", " ")


def _is_command(arguments: list[str]) -> None:
    """Asserts that `sara` takes these arguments."""
    command = typer.main.get_command(app)
    name, *rest = arguments
    found = command.commands[name]  # type: ignore[attr-defined]
    with found.make_context(name, rest):
        pass


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_named_exists(path: Path) -> None:
    named = set(re.findall(r"SARA_[A-Z][A-Z_]*[A-Z]", path.read_text("utf-8")))
    assert named <= {f"SARA_{name.upper()}" for name in Settings.model_fields}


def test_no_file_holds_a_secret() -> None:
    for line in (DEPLOY / "sara.env.example").read_text("utf-8").splitlines():
        if re.match(r"SARA_\w+_(KEY|SECRET|TOKEN)=", line):
            assert line.endswith("="), line
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    secrets = {"deploy/" + Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert {"deploy/sara.env", *secrets} <= set(ignored)


def test_compose_keeps_to_its_specification() -> None:
    checked = subprocess.run(
        [shutil.which("check-jsonschema", path=ROOT / ".venv/bin") or "check-jsonschema", "--builtin-schema",
         "vendor.compose-spec", DEPLOY / "compose.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_compose_starts_what_there_is() -> None:
    services = COMPOSE["services"]
    for name in ("migrate", "app", "worker"):
        _is_command(services[name]["command"])
        assert services[name]["read_only"]
    assert services["app"]["ports"] == ["127.0.0.1:8000:8000"], "the proxy alone is reachable from outside"
    assert "ports" not in services["database"]
    for service in services.values():
        assert service["logging"]["options"]["max-size"], "logs hold personal data: they must rotate"
        mounts = [mount.split(":")[0] for mount in service.get("volumes", [])]
        files = {mount for mount in mounts if mount.startswith("./")}
        folders = {mount for mount in mounts if mount.startswith("/")}
        assert set(mounts) - files - folders <= set(COMPOSE["volumes"])
        assert folders <= set(re.findall(r"^sudo install -d -m 700 -o 10001 (\S+)", _guide(), re.MULTILINE))
        assert all((DEPLOY / file).is_file() for file in files)


def test_secrets_belong_to_those_who_read_them() -> None:
    """Compose ignores uid, gid and mode of a secret that is a file: only the host can say who reads it."""
    for service in COMPOSE["services"].values():
        assert all(isinstance(secret, str) for secret in service.get("secrets", []))
    user = re.search(r"^USER (\d+)$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert user is not None
    guide = (ROOT / "docs/deploy.md").read_text("utf-8")
    owners = dict(re.findall(r"^sudo chown (\d+) deploy/(\w+)", guide, re.MULTILINE))
    assert owners == {"999": "database_password", user[1]: "pgpass"}
    assert guide.index("> deploy/pgpass") < guide.index("sudo chown"), "it is written by the host's user"
    [private] = re.findall(r"^chmod 600 (.+)$", guide, re.MULTILINE)
    assert {f"deploy/{name}" for name in COMPOSE["secrets"]} < set(private.split())


def test_the_database_is_waited_for_where_the_others_ask_it() -> None:
    """While the image sets up, a server answers on the socket alone: `migrate` would start too early."""
    [command, *arguments] = COMPOSE["services"]["database"]["healthcheck"]["test"][1:]
    assert command == "pg_isready"
    assert arguments[arguments.index("-h") + 1] == "127.0.0.1"


def test_the_image_is_built_of_what_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    allowed = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split() if line[0] == "!"
    }
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _ = [word for word in line.split() if not word.startswith("--")]
        copied |= set(sources)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in allowed, f"{source} is kept out by Dockerfile.dockerignore"
    packages = re.search(r"packages = (\[.*?\])", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert packages is not None
    assert set(json.loads(packages[1])) <= copied
    entry = re.search(r"^CMD (.+)$", text, re.MULTILINE)
    assert entry is not None
    _is_command(json.loads(entry[1]))
    assert re.search(r"^USER \d+$", text, re.MULTILINE), "never root; a number, as Kubernetes asks"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda m: f"{m['kind']}-{m['metadata']['name']}")
def test_manifests_keep_to_the_schemas_of_kubernetes(manifest: dict[str, Any]) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def _workloads() -> list[dict[str, Any]]:
    return [m for m in MANIFESTS if m["kind"] in ("Deployment", "Job")]


def test_workloads_run_what_there_is_and_as_nobody() -> None:
    for manifest in _workloads():
        spec = manifest["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        for container in spec["containers"]:
            _is_command(container["args"])
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["resources"]["limits"]["memory"]
            assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in spec["volumes"]}


async def test_probes_ask_what_is_answered() -> None:
    from api.app import create_app

    [serve] = [m for m in _workloads() if m["metadata"]["name"] == "sara-serve"]
    [container] = serve["spec"]["template"]["spec"]["containers"]
    probes = {
        kind: container[kind]["httpGet"]["path"]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    paths = {getattr(route, "path", None) for route in create_app(lambda: None).routes}  # type: ignore[arg-type, return-value]
    assert set(probes.values()) <= paths
    assert probes["livenessProbe"] != probes["readinessProbe"], "a lost database must not restart the process"


def test_names_meet() -> None:
    """Selectors, service accounts, config maps and scaling targets name what is there."""
    kinds = {(m["kind"], m["metadata"]["name"]) for m in MANIFESTS}
    labels = [m["spec"]["template"]["metadata"]["labels"] for m in _workloads()]
    for manifest in MANIFESTS:
        spec = manifest.get("spec", {})
        if manifest["kind"] == "HorizontalPodAutoscaler":
            assert ("Deployment", spec["scaleTargetRef"]["name"]) in kinds
        if manifest["kind"] in ("Service", "PodDisruptionBudget"):
            wanted = spec["selector"].get("matchLabels", spec["selector"])
            assert any(wanted.items() <= have.items() for have in labels)
        if manifest["kind"] == "Deployment":
            assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
            assert ("ServiceAccount", spec["template"]["spec"]["serviceAccountName"]) in kinds


def test_the_config_map_counts_where_the_secret_names_the_same_setting() -> None:
    """The Secret is made of all of sara.env.example, whose defaults would hide what the manifests set."""
    [config] = [m for m in MANIFESTS if m["kind"] == "ConfigMap"]
    example = (DEPLOY / "sara.env.example").read_text("utf-8")
    assert set(config["data"]) & set(re.findall(r"^(\w+)=", example, re.MULTILINE)), "or the order is free"
    for manifest in _workloads():
        for container in manifest["spec"]["template"]["spec"]["containers"]:
            [secret, last] = container["envFrom"]
            assert secret == {"secretRef": {"name": "sara"}}
            assert last == {"configMapRef": {"name": config["metadata"]["name"]}}


def test_the_secret_is_made_of_one_file() -> None:
    """kubectl takes --from-env-file with no other source beside it."""
    guide = (ROOT / "docs/deploy.md").read_text("utf-8").replace("\\\n", " ")
    [command] = re.findall(r"kubectl .*create secret.*", guide)
    assert re.findall(r"--from-[a-z-]+", command) == ["--from-env-file"]
    assert "#SARA_DATABASE_URL=" in (DEPLOY / "sara.env.example").read_text("utf-8")


def test_the_ingress_lets_in_what_the_proxy_lets_in() -> None:
    from api.app import create_app

    proxy = (DEPLOY / "caddy/Caddyfile").read_text("utf-8")
    hidden = re.findall(r"handle (/[^\s*]+)\*? \{\n\t\trespond 404", proxy)
    [ingress] = [m for m in MANIFESTS if m["kind"] == "Ingress"]
    [rule] = ingress["spec"]["rules"]
    exact = {path["path"] for path in rule["http"]["paths"] if path["pathType"] == "Exact"}
    beneath = {path["path"] for path in rule["http"]["paths"] if path["pathType"] == "Prefix"}
    probes = {"/healthz", "/readyz"}  # the cluster asks the pods themselves
    application = create_app(lambda: None)  # type: ignore[arg-type, return-value]
    paths = {str(route.path) for route in iter_route_contexts(application.routes)}
    assert "/calendars/{token}.ics" in paths

    def within(path: str, places: set[str]) -> bool:
        return any(path == place or path.startswith(f"{place}/") for place in places)

    for path in sorted(paths - probes):
        let_in = path in exact or within(path, beneath)
        assert let_in is not within(path, set(hidden)), path


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_run_what_there_is(unit: Path) -> None:
    for line in re.findall(
        r"^ExecStart(?:Pre)?=/opt/sara/.venv/bin/sara (.+)$", unit.read_text("utf-8"), re.MULTILINE
    ):
        _is_command(line.split())


def test_a_command_by_hand_has_the_settings_of_the_units() -> None:
    guide = (ROOT / "docs/deploy.md").read_text("utf-8").replace("\\\n", " ")
    [line] = re.findall(r"^systemd-run (.+)$", guide, re.MULTILINE)
    options, _, command = line.partition("/opt/sara/.venv/bin/sara ")
    _is_command(command.split())
    unit = (DEPLOY / "systemd/sara-serve.service").read_text("utf-8").splitlines()
    given = dict(option.split("=", 1) for option in re.findall(r"-p (\S+)", options))
    assert set(given) == {"EnvironmentFile", "WorkingDirectory"}
    assert {f"{name}={value}" for name, value in given.items()} <= set(unit)
    assert "User=sara" in unit
    assert "--uid=sara" in options.split()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_units_pass_systemds_own_check(tmp_path: Path) -> None:
    copies = []
    for unit in UNITS:
        # The programs they start are on the server, not here.
        text = re.sub(r"(=-?)/opt/sara/\S+|(=-?)/usr/bin/find", r"\1\2/bin/true", unit.read_text("utf-8"))
        copy = tmp_path / unit.name.replace("@", "@1")
        copy.write_text(text, "utf-8")
        copies.append(copy)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *copies], capture_output=True, text=True, check=False
    )
    ours = [line for line in checked.stderr.splitlines() if str(tmp_path) in line or "sara-" in line]
    assert ours == []


def test_the_proxy_reaches_the_service_and_hides_what_is_internal() -> None:
    text = (DEPLOY / "caddy/Caddyfile").read_text("utf-8")
    assert text.count("{") == text.count("}")
    assert "\n    " not in text, "caddy fmt indents with tabs"
    unit = (DEPLOY / "systemd/sara-serve.service").read_text("utf-8")
    assert set(re.findall(r"reverse_proxy (\S+)", text)) == {"127.0.0.1:8000"}
    assert "--host 127.0.0.1 --port 8000" in unit
    blocks = dict(re.findall(r"handle (/\S+) \{\n\t\t(\w+)", text))
    assert blocks["/metrics"] == blocks["/docs*"] == blocks["/openapi.json"] == "respond"
