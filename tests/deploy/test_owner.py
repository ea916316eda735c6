"""The role that deploy/postgres/owner.sh creates is no superuser, and everything works with it."""

import subprocess
from pathlib import Path

import psycopg
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
