"""Conversations, businesses, documents and hand-overs from the terminal, on the session's database."""

import json
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from sara import demo, seed
from sara.local import Local
from sara.play import BadScript, read

HEAD = 'business: aurora\ncustomer: "+393331112222"\nsteps:\n'
CONTRACT = {
    "reply", "intent", "outcome", "owner", "handoff", "sources", "language", "sensitivity", "transcript",
    "model", "timings_ms",
}  # fmt: skip
NODES = {
    "transcribe", "load_contact", "triage", "score_sensitivity", "retrieve", "generate", "check_grounding",
    "execute_intent", "reply",
}  # fmt: skip


def test_chat_prints_everything_about_a_turn(sara) -> None:
    question = "Quanto costa un massaggio rilassante?"
    ran = sara("chat", "--business", "aurora", "--from", "+393470000001", "--text", question, "--json")
    assert ran.code == 0, ran.err
    turn = json.loads(ran.out)
    assert set(turn) >= CONTRACT
    assert "65,00" in turn["reply"]
    assert (turn["language"], turn["intent"], turn["owner"]) == ("it", "answer", "bot")
    assert turn["handoff"] is None
    assert any(source["source"].startswith("listino") for source in turn["sources"])
    assert turn["sensitivity"]["label"] == "none"
    assert 0 <= turn["sensitivity"]["score"] < 0.5
    assert set(turn["timings_ms"]) == NODES
    assert all(milliseconds > 0 for milliseconds in turn["timings_ms"].values())
    assert turn["model"] == "extractive"


def test_chat_with_ones_own_business_enters_no_other(
    bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SARA_DATABASE_URL", raising=False)
    monkeypatch.setenv("SARA_DATA_DIR", str(tmp_path / "data"))
    mine = tmp_path / "mine.yaml"
    theirs = Path("knowledge/businesses/conti.yaml").read_text("utf-8")
    mine.write_text(theirs.replace("slug: conti", "slug: mine"), "utf-8")
    assert bare("business", "add", mine).code == 0
    ran = bare("chat", "--business", "mine", "--from", "+393470000009", "--text", "Ciao", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["reply"]
    assert "nowhere" in bare("chat", "--business", "nowhere", "--from", "+393470000009", "--text", "x").err
    listed = bare("business", "list").out
    assert "mine" in listed
    assert "aurora" not in listed


async def test_the_demo_is_made_where_nothing_is_and_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, whole: Local
) -> None:
    async def directory(_: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(slug=slug) for slug in there]

    monkeypatch.setattr(demo.businesses, "directory", directory)
    every = {one.slug for one in seed.seeds()}
    for there, business, wanted in (
        (set(), "aurora", True),
        (set(), None, True),
        (every, "aurora", True),
        ({*every, "mine"}, "mine", True),
        ({"mine"}, "aurora", True),
        ({"mine"}, "mine", False),
        ({"mine"}, "mien", False),
        ({"conti"}, "conti", False),
    ):
        assert await demo.is_for_the_demo(whole.crm, business) is wanted, (there, business)


def test_the_demo_is_played_where_no_business_of_one_s_own_is(
    bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SARA_DATABASE_URL", raising=False)
    monkeypatch.setenv("SARA_DATA_DIR", str(tmp_path / "data"))
    mine = tmp_path / "mine.yaml"
    theirs = Path("knowledge/businesses/conti.yaml").read_text("utf-8")
    mine.write_text(theirs.replace("slug: conti", "slug: mine"), "utf-8")
    assert bare("business", "add", mine).code == 0
    for arguments in (["--port", 0], ["--once"]):
        said = bare("demo", *arguments).one_line
        assert "holds your own businesses" in said
        assert "--data" in said
    [listed] = bare("business", "list", "--json").out.splitlines()
    assert json.loads(listed)["slug"] == "mine", "nothing was entered beside it"


def test_the_demo_takes_no_turns_of_workers_that_are_at_work(sara, commanded_dsn: str) -> None:
    with psycopg.connect(commanded_dsn, autocommit=True) as owner:
        [worker] = owner.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id").fetchone()
        try:
            for arguments in (["--port", 0], ["--once"]):
                said = sara("demo", *arguments).one_line
                assert "workers are at work" in said
                assert "unset SARA_DATABASE_URL" in said
        finally:
            owner.execute("DELETE FROM procrastinate_workers WHERE id = %s", (worker,))


def test_chat_takes_a_voice_note_nobody_can_hear(sara, notes: Path) -> None:
    who = ["--business", "aurora", "--from", "+393470000002"]
    ran = sara("chat", *who, "--voice", notes / "zero.ogg", "--json")
    assert ran.code == 0, ran.err
    turn = json.loads(ran.out)
    assert turn["reply"]
    assert turn["owner"] == "bot"


def test_chat_is_a_dialogue_until_an_empty_line(sara, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(["Avete il parcheggio?", "Voglio parlare con una persona", "ci siete?", ""])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    ran = sara("chat", "--business", "aurora", "--from", "+393470000003")
    assert ran.code == 0, ran.err
    said = [line for line in ran.out.splitlines() if line.startswith("sara: ")]
    assert len(said) == 3, ran.out
    assert "parcheggia gratis" in said[0]
    assert said[2] == "sara: (a human has this conversation)"
    handoff = _handoff_of(sara, "393470000003")
    shown = sara("handoff", "show", handoff)
    assert shown.code == 0
    assert "Voglio parlare con una persona" in shown.out
    packet = json.loads(sara("handoff", "show", handoff, "--json").out)
    assert [said["body"] for said in packet["messages"] if said["author"] == "customer"][-1] == "ci siete?"
    assert sara("handoff", "reply", handoff, "Buonasera, sono Francesca.").out == "queued\n"
    given_back = sara("handoff", "back", handoff, "--note", "Sentita", "--fact", "allergia=noci")
    assert given_back.out == "handed back\n"
    assert "already returned or resolved" in sara("handoff", "resolve", handoff).one_line


def _handoff_of(sara, wa_id: str) -> int:
    rows = [json.loads(line) for line in sara("handoff", "list", "--json").out.splitlines()]
    return next(row["handoff_id"] for row in rows if row["wa_id"] == wa_id)


def test_play_passes_fails_and_says_why(sara, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    steps = '  - text: "Quanto costa un massaggio rilassante?"\n    expect: {owner: bot, reply: "%s"}\n'
    good.write_text(HEAD + steps % "65,00", encoding="utf-8")
    bad.write_text(HEAD + steps % "12,00", encoding="utf-8")
    ran = sara("play", good, bad)
    assert ran.code == 1
    assert "1 of 2 journeys as expected" in ran.out
    assert "does not match '12,00'" in ran.out
    ran = sara("play", good, "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["passed"] is True


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (HEAD + "  - txt: ciao\n", "steps.0.txt: Extra inputs are not permitted"),
        (HEAD + "  - {}\n", "steps.0: a step does exactly one of text, voice"),
        (HEAD + "  - {text: a, voice: b.ogg}\n", "steps.0: a step does exactly one of text, voice"),
        (HEAD + '  - {text: a, expect: {reply: "("}}\n', "steps.0.expect.reply: not a regular expression"),
        (HEAD + "  - {voice: none.ogg}\n", "no voice note"),
        (HEAD, "steps: "),
        ("business: aurora\ncustomer: Giulia\nsteps: [{text: a}]\n", "customer: "),
        ("- just\n- a list\n", "script: "),
        ("{", "expected"),
    ],
)
def test_a_bad_script_is_refused_before_anything_is_played(
    bare, tmp_path: Path, script: str, said: str
) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(script)
    with pytest.raises(BadScript) as refused:
        read(file)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_play_refuses_a_bad_script_in_one_line(sara, tmp_path: Path) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(HEAD + "  - txt: ciao\n")
    assert "script.yaml: steps.0.txt" in sara("play", file).one_line
    file.write_text(
        HEAD + '  - {text: "Avete il parcheggio?"}\n  - {button: "nothing"}\n  - {text: "ciao"}\n'
    )
    ran = sara("play", file)
    assert ran.code == 1
    assert "parcheggia gratis" in ran.out
    assert "matches 'nothing'" in ran.out
    assert "customer: ciao" not in ran.out


def test_doctor_looks_at_everything(sara) -> None:
    ran = sara("doctor", "--json")
    assert ran.code == 0, ran.out
    found = {finding["name"]: finding for finding in json.loads(ran.out)}
    always = {"database", "pgvector", "clock", "businesses", "embeddings", "whisper", "model chain"}
    assert set(found) >= always
    assert all(finding["mend"] for finding in found.values() if finding["state"] != "ok")
    assert found["whatsapp"]["state"] == "warning"
    assert "SARA_WHATSAPP_APP_SECRET" in found["whatsapp"]["detail"]
    told = sara("doctor").out  # a moment later, in which a worker of an earlier test may have gone
    assert {name for name in always if name not in told} == set()


def test_doctor_exits_1_when_something_is_broken(sara, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_WHISPER_MODEL", "/nowhere/at-all")
    ran = sara("doctor", "--json")
    assert ran.code == 1
    whisper = next(finding for finding in json.loads(ran.out) if finding["name"] == "whisper")
    assert whisper["state"] == "failed"


def test_doctor_says_that_nothing_is_embedded_with_the_model_in_use(
    sara, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARA_EMBEDDINGS", "e5t")
    found = {finding["name"]: finding for finding in json.loads(sara("doctor", "--json").out)}
    assert found["knowledge"]["state"] == "failed"
    assert "sara reindex" in found["knowledge"]["mend"]


def test_businesses_are_listed_and_a_bad_file_names_its_line(sara, tmp_path: Path) -> None:
    listed = [json.loads(line) for line in sara("business", "list", "--json").out.splitlines()]
    numbers = {row["slug"]: row["phone_number_ids"] for row in listed}
    assert numbers["aurora"] == ["1001"]
    assert numbers["costa-azul"] == ["1003"]
    source = Path(__file__).parents[2] / "knowledge/businesses/aurora.yaml"
    lines = source.read_text("utf-8").split("\n")
    line = next(i for i, text in enumerate(lines) if text.startswith("time_zone:"))
    lines[line] = "time_zone: Europe/Milan"
    wrong = tmp_path / "mine.yaml"
    wrong.write_text("\n".join(lines), encoding="utf-8")
    said = sara("business", "add", wrong).one_line
    assert f"mine.yaml:{line + 1}: " in said
    assert "IANA name such as Europe/Rome" in said


def test_migrate_again_changes_nothing(sara) -> None:
    assert sara("migrate").out == "up to date\n"


def test_ingest_reports_what_changed(sara, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    paper = folder / "gufi.md"
    paper.write_text("# Gufi\n\nIl gufo Ernesto abita nel sottotetto e dorme di giorno.\n", encoding="utf-8")

    def ingest(code: int = 0) -> dict[str, object]:
        ran = sara("ingest", folder, "--business", "conti", "--json")
        assert ran.code == code
        report = json.loads(ran.out)
        assert isinstance(report, dict)
        return report

    first = ingest()
    assert {name: first[name] for name in ("added", "updated", "unchanged", "deleted", "failed")} == {
        "added": 1, "updated": 0, "unchanged": 0, "deleted": 0, "failed": [],
    }  # fmt: skip
    assert first["chunks"] == 1
    assert ingest()["unchanged"] == 1
    broken = folder / "scan.md"
    broken.write_bytes(b"\x00\x01\x02\x03" * 50)
    failed = ingest(1)["failed"]
    assert isinstance(failed, list)
    assert failed[0]["path"].endswith("scan.md")
    assert failed[0]["error"]
    paper.unlink()
    broken.unlink()
    assert ingest()["deleted"] == 1
    assert "no business is called 'nowhere'" in sara("ingest", folder, "--business", "nowhere").one_line


def test_bench_measures_what_it_says() -> None:
    from sara.bench.turn import table

    spread = {"median": 12.5, "p95": 20.0}
    baselines = ("hello_ms", "commit_ms", "bare_turn_ms")
    names = (*baselines, "ack_ms", "queue_and_transport_ms", "machinery_ms", "message_to_done_ms")
    figures = {
        **dict.fromkeys(names, spread),
        "nodes_ms": {"retrieve": spread},
        "idle_rss_mb": 500,
        "turns": 5,
    }
    shown = table(figures).splitlines()
    assert shown[1].split() == ["hello", "12.5", "20.0"]
    assert shown[2].split() == ["ack", "12.5", "20.0"]
    assert shown[-2].split() == ["retrieve", "12.5", "20.0"]
    assert shown[-1] == "idle RSS 500 MB, 5 turns"
