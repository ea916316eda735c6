"""What the team has to do, and how appointments ended, from the terminal."""

import json
import re

from tests.sara.conftest import Cli


def test_follow_ups_and_attendance(sara: Cli) -> None:
    asked = "Vorrei un preventivo per quattro massaggi rilassanti e un regalo su misura"
    for words in (asked, "Sì"):
        assert sara("chat", "--business", "aurora", "--from", "+393331112233", "--text", words).code == 0
    listed = sara("follow-up", "list", "--business", "aurora", "--json", "--days", "30")
    rows = [json.loads(line) for line in listed.out.splitlines()]
    [row] = [row for row in rows if row["wa_id"] == "393331112233"]
    number = str(row["follow_up_id"])
    assert re.search(rf"^ *{number} ", sara("follow-up", "list", "--business", "aurora", "--days", "30").out)
    assert sara("follow-up", "done", number, "--business", "aurora").code == 0
    again = sara("follow-up", "done", number, "--business", "aurora")
    assert again.code == 1
    assert again.err.startswith("sara: No such open follow-up")
    for verb in ("complete", "no-show"):
        ended = sara("appointment", verb, "99", "--business", "aurora")
        assert ended.code == 1
        assert ended.err.startswith("sara: No such appointment")
    assert sara("handoff", "corrections", "--business", "aurora").code == 0
