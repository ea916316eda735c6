"""The keys of an installation that was given none: made here, kept beside its embedded database."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from crm.sealing import new_key


class KeyNotKept(Exception):
    """A key cannot be kept in SARA_DATA_DIR: make room there, or let this program write in it."""


NAME = "audio.key"
SECRETS = "secrets.key"  # for addresses and secrets of other systems


def own_keys(data_dir: Path, name: str = NAME) -> list[str]:
    """The keys in `data_dir`/`name`, one a line and the newest first, readable by their owner alone.

    The first is made at the first call. Whoever has a copy of the folder has the keys too: SARA_AUDIO_KEY and
    SARA_SECRET_KEY keep them apart. Several processes may call this at once and get the same.
    Raises KeyNotKept.
    """
    file = data_dir / name
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            made = _written(data_dir, name, [new_key()])
            with suppress(FileExistsError):
                os.link(made, file)  # unlike a rename, never replaces a key that is in use
            made.unlink()
        return file.read_text(encoding="ascii").split()
    except OSError as error:
        raise KeyNotKept(f"{KeyNotKept.__doc__} ({error})") from error


def put_in_front(data_dir: Path, name: str = NAME) -> None:
    """A fresh key in front of those there are: processes started from now on write with it."""
    known = own_keys(data_dir, name)
    _written(data_dir, name, [new_key(), *known]).replace(data_dir / name)


def _written(data_dir: Path, name: str, keys: list[str]) -> Path:
    """A file beside the one they are for, whole and on the disk."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=data_dir)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write("\n".join(keys))
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        Path(temporary).unlink()  # half a key must not be taken for one
        raise
    return Path(temporary)
