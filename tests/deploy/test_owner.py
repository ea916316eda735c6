"""The role that deploy/postgres/owner.sh creates is no superuser, and everything works with it."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Literal

from db import embedded
from db.migrate import migrate

SCRIPT = Path(__file__).parents[2] / "deploy/postgres/owner.sh"
PASSWORD = "it's a \\secret"


async def _run(dsn: str, statements: str) -> None:
    """What psql would do with them: `:'password'` is the value, quoted."""
    quoted = SQL("{}").format(Literal(PASSWORD)).as_string()
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for statement in statements.replace(":'password'", quoted).split(";\n"):
            if statement.strip():
                await connection.execute(statement.encode())


def test_the_script_can_be_run() -> None:
    assert subprocess.run(["sh", "-n", SCRIPT], check=False).returncode == 0
    assert SCRIPT.stat().st_mode & 0o111


def _start(tmp_path: Path, password_file: Path) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Runs the script with a stand-in for psql; what it said, and the arguments psql was run with."""
    seen = tmp_path / "arguments"
    psql = tmp_path / "bin/psql"
    psql.parent.mkdir()
    psql.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {seen}\ncat > /dev/null\n", "utf-8")
    psql.chmod(0o755)
    given = {
        "PATH": f"{psql.parent}:{os.environ['PATH']}",
        "OWNER_PASSWORD_FILE": str(password_file),
        "POSTGRES_USER": "postgres",
    }
    ended = subprocess.run(["sh", SCRIPT], env=given, capture_output=True, text=True, check=False)
    return ended, seen.read_text("utf-8").splitlines() if seen.exists() else []


def test_the_password_is_the_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n", "utf-8")
    ended, arguments = _start(tmp_path, tmp_path / "password")
    assert ended.returncode == 0, ended.stderr
    assert f"password={PASSWORD}" in arguments


@pytest.mark.parametrize("wrong", ["missing", "unreadable", "empty"])
def test_no_role_is_made_without_its_password(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "password"
    if wrong == "unreadable":
        file.mkdir()  # for root, whom no mode keeps out, a folder is
    elif wrong == "empty":
        file.write_text("\n", "utf-8")
    ended, arguments = _start(tmp_path, file)
    assert ended.returncode == 1
    assert arguments == [], "psql must not run"
    assert f"{file}" in ended.stderr
    assert "docker volume rm sara_database" in ended.stderr


async def test_everything_migrates_as_the_role_of_the_script(tmp_path: Path) -> None:
    text = SCRIPT.read_text("utf-8")
    on_server, connected, in_sara = (
        text.partition("<<'SQL'\n")[2].partition("\nSQL")[0].partition("\\connect sara\n")
    )
    assert connected
    server = embedded.start(tmp_path / "data")
    try:
        await _run(server.dsn, on_server)
        await _run(make_conninfo(server.dsn, dbname="sara"), in_sara)
        dsn = make_conninfo(server.dsn, user="sara_owner", dbname="sara", password=PASSWORD)
        await migrate(dsn)
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            asked = await connection.execute(
                "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
            )
            assert await asked.fetchone() == ("sara_owner", False, False)
    finally:
        server.stop()
