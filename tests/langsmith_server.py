"""LangSmith on loopback: takes traces, datasets, experiments and feedback, and keeps every byte it got."""

import gzip
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard

KEY = "lsv2_test"
SESSION = {"tenant_id": str(uuid.UUID(int=1)), "reference_dataset_id": None}


@dataclass(frozen=True)
class Request:
    """One request, its body as it was before compression."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class LangSmithServer:
    """`answers` are the next statuses of every request; `gate` holds answers back until it is set."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    status: int = 200
    gate: threading.Event = field(default_factory=threading.Event)
    sessions: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)
    feedback: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def everything(self) -> str:
        """All that was ever sent, headers but the key included."""
        told = [
            f"{one.method} {one.path} {one.query} {one.headers} ".encode() + one.body for one in self.requests
        ]
        return b"\n".join(told).decode("utf-8", errors="replace")

    def of(self, path: str) -> list[Request]:
        return [one for one in self.requests if one.path == path and one.method != "GET"]

    def wait_for(self, runs: int, timeout_s: float = 20.0) -> list[dict[str, Any]]:
        """The root runs, once there are so many."""
        deadline = time.monotonic() + timeout_s
        while len(found := [run for run in self.runs.values() if not run.get("parent_run_id")]) < runs:
            assert time.monotonic() < deadline, f"{len(found)} of {runs} traces"
            time.sleep(0.02)
        return found

    def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append(request)
        self.gate.wait(30)
        status = self.answers.pop(0) if self.answers else self.status
        if status != 200:
            return status, {"detail": "no"}
        handler = getattr(
            self, f"_{request.method.lower()}{request.path.replace('/', '_').replace('-', '_')}"
        )
        return handler(request)

    def _post_runs_multipart(self, request: Request) -> tuple[int, Any]:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        for part in message_from_bytes(head + request.body).get_payload():
            name = str(part.get_param("name", header="content-disposition"))
            _, run_id, *rest = name.split(".")
            body = json.loads(part.get_payload(decode=True))
            run = self.runs.setdefault(run_id, {})
            if rest:
                run[rest[0]] = body
            else:
                run.update(body)
                self.sessions.setdefault(body["session_name"], str(uuid.uuid4()))
        return 202, {}

    def _get_sessions(self, request: Request) -> tuple[int, Any]:
        wanted = request.query.get("name", list(self.sessions))
        return 200, [
            {"id": one, "name": name, **SESSION} for name, one in self.sessions.items() if name in wanted
        ]

    def _get_datasets(self, request: Request) -> tuple[int, Any]:
        [name] = request.query["name"]
        found = self.datasets.get(name)
        return 200, [{"id": found, "name": name, "created_at": "2026-01-01T00:00:00Z"}] if found else []

    def _post_datasets(self, request: Request) -> tuple[int, Any]:
        self.datasets[request.json["name"]] = str(uuid.uuid4())
        return 200, {"id": self.datasets[request.json["name"]]}

    def _post_datasets_upload_experiment(self, request: Request) -> tuple[int, Any]:
        self.sessions[request.json["experiment_name"]] = str(uuid.uuid4())
        self.datasets.setdefault(request.json["dataset_name"], request.json["dataset_id"])
        return 201, {}

    def _get_examples(self, request: Request) -> tuple[int, Any]:
        if int(request.query.get("offset", ["0"])[0]):
            return 200, []
        wanted = json.loads(request.query.get("metadata", ["{}"])[0])
        return 200, [
            {"id": one, "dataset_id": example["dataset_id"], "inputs": {}}
            for one, example in self.examples.items()
            if wanted.items() <= example["metadata"].items()
        ]

    def _post_examples_bulk(self, request: Request) -> tuple[int, Any]:
        self.examples |= {example["id"]: example for example in request.json}
        return 200, [{**example, "created_at": "2026-01-01T00:00:00Z"} for example in request.json]

    def _post_v1_platform_datasets_examples_delete(self, request: Request) -> tuple[int, Any]:
        for one in request.json["example_ids"]:
            self.examples.pop(one)
        return 200, {}

    def _post_feedback(self, request: Request) -> tuple[int, Any]:
        if request.json["run_id"] not in self.runs:
            return 404, {"detail": "no such run"}
        if request.json["id"] in self.feedback:
            return 409, {"detail": "there already"}
        self.feedback[request.json["id"]] = request.json
        return 200, request.json

    def _post_api_v1_runs_delete(self, request: Request) -> tuple[int, Any]:
        return 202, {}


class _Handler(BaseHTTPRequestHandler):
    langsmith: LangSmithServer
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        assert headers.pop("x-api-key") == KEY
        body = self._body(headers)
        request = Request(self.command, url.path, parse_qs(url.query), body, headers)
        status, said = self.langsmith.answer(request)
        answer = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            raw = b"".join(chunks)
        else:
            raw = self.rfile.read(int(headers.get("content-length", "0")))
        match headers.get("content-encoding"):
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(raw)
            case "gzip":
                return gzip.decompress(raw)
            case _:
                return raw

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def langsmith_server() -> Iterator[LangSmithServer]:
    """A running one, with its gate open."""
    server = LangSmithServer()
    server.gate.set()
    handler = type("Handler", (_Handler,), {"langsmith": server})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    server.port = http.server_address[1]
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.gate.set()
        http.shutdown()
        http.server_close()
