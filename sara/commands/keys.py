"""The keys that encrypt what is at rest: how much is under which, a new one, and everything put under it."""

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any

import typer

from crm import rekeying
from crm.rekeying import Keys, Purpose, Stock
from crm.sealing import Seal, new_key
from sara import services
from sara.audio_key import NAME, SECRETS, own_keys, put_in_front
from sara.commands.failures import CommandFailed
from sara.commands.loop import run
from sara.settings import Settings, load, split_keys

app = typer.Typer(help="Keys of what is encrypted in the database.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json")]

_FILES: dict[Purpose, str] = {"audio": NAME, "secrets": SECRETS}
_OPTIONS: dict[Purpose, str] = {
    "audio": "SARA_AUDIO_KEY",
    "secrets": "SARA_SECRET_KEY",
    "state": "SARA_STATE_KEY",
}


@app.command("status")
def status(as_json: AsJson = False) -> None:
    """How much is sealed with the newest key, with older ones, and with none that is known."""
    _show(run(_status()), as_json)


async def _status() -> list[Stock]:
    settings = load()
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        return await rekeying.stock(crm, _keyring(settings))


@app.command("new")
def new() -> None:
    """A new key in front of the old ones. Restart every process then, and `sara keys rotate`."""
    settings = load()
    for purpose, option in _OPTIONS.items():
        if _given(settings, purpose) is not None:
            print(f"{purpose}: put this and a comma in front of {option}, on every machine: {new_key()}")
        elif settings.database_url is None and purpose in _FILES:
            put_in_front(settings.data_dir, _FILES[purpose])
            print(f"{purpose}: a new key in {settings.data_dir / _FILES[purpose]}")
        else:
            print(f"{purpose}: {option} is not set; a first key for it: {new_key()}")
    print("Restart every process of SARA, then run: sara keys rotate")


@app.command("rotate")
def rotate(
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="rows of one transaction")] = rekeying.BATCH,
    as_json: AsJson = False,
) -> None:
    """Puts everything under the newest key; stopped and started again, it goes on where it was."""
    found = run(_rotate(batch))
    _show(found, as_json)
    lost = sum(one.lost for one in found)
    if lost:
        raise CommandFailed(
            f"{lost} sealed with a key that is no longer named: put that key behind the new one, run it again"
        )


async def _rotate(batch: int) -> list[Stock]:
    settings = load()
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        return await rekeying.renew(crm, _keyring(settings), batch=batch)


def _keyring(settings: Settings) -> Keys:
    """What opens each kind; a kind without keys is left out. Raises CommandFailed where there are none."""
    keys = keyring(settings)
    if not keys.seals and keys.state is None:
        raise CommandFailed(f"none of {', '.join(_OPTIONS.values())} is set: nothing is sealed here")
    return keys


def keyring(settings: Settings, *, make: bool = True) -> Keys:
    """What opens each kind; a kind without keys is left out. Raises KeyNotKept.

    Without `make` a key's file that is missing stays so: the one of another machine may belong there.
    """
    seals = {purpose: Seal(keys) for purpose in _FILES if (keys := _keys(settings, purpose, make=make))}
    return Keys(seals, services.state_cipher(settings))


def keep() -> str:
    """Which keys to keep apart from a backup, which holds none of them."""
    files = " and ".join(_FILES.values())
    names = ", ".join(_OPTIONS.values())
    return f"keep {names} apart, with an embedded database also {files} of SARA_DATA_DIR"


def mend(settings: Settings, purposes: Collection[Purpose]) -> str:
    """Which keys to bring where something is sealed that none opens."""
    asked = []
    for purpose in (one for one in _OPTIONS if one in purposes):
        option, file = _OPTIONS[purpose], _FILES.get(purpose)
        if file is not None and settings.database_url is None and _given(settings, purpose) is None:
            asked.append(f"{file} from the machine it comes from (its lines into {settings.data_dir / file})")
        else:
            asked.append(f"{option} as it was there (behind a comma, if there is another one now)")
    return f"bring {' and '.join(asked)}, then see `sara keys status`"


def _keys(settings: Settings, purpose: Purpose, *, make: bool) -> list[str]:
    given = _given(settings, purpose)
    if given is not None:
        return given
    file = _FILES[purpose]
    here = settings.database_url is None and (make or (settings.data_dir / file).exists())
    return own_keys(settings.data_dir, file) if here else []


def _given(settings: Settings, purpose: Purpose) -> list[str] | None:
    keys = {"audio": settings.audio_key, "secrets": settings.secret_key, "state": settings.state_key}[purpose]
    return split_keys(keys) if keys is not None else None


def _show(found: list[Stock], as_json: bool) -> None:
    for one in found:
        if as_json:
            row: dict[str, Any] = {**asdict(one.place), "total": one.total, **asdict(one)}
            del row["place"]
            print(json.dumps(row))
        else:
            name = f"{one.place.table}.{one.place.column}"
            counts = (
                f"{one.total:>7} sealed, {one.newest:>7} with the newest key, {one.older:>7} with older ones"
            )
            print(f"{name:<38} {counts}" + (f", {one.lost} with none that is known" if one.lost else ""))
