"""The keys of an installation that was given none: made once, kept beside its embedded database."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from crm.sealing import new_key

NAME = "audio.key"
SECRETS = "secrets.key"  # for addresses and secrets of other systems


def own_key(data_dir: Path, name: str = NAME) -> str:
    """The key in `data_dir`/`name`, readable by its owner alone; made at the first call.

    Whoever has a copy of the folder has the key too: SARA_AUDIO_KEY and SARA_SECRET_KEY keep them apart.
    Several processes may call this at once and get the same key.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    file = data_dir / name
    if not file.exists():
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=data_dir)  # mode 0600
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(new_key())
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(temporary, file)  # unlike a rename, never replaces a key that is in use
        Path(temporary).unlink()
    return file.read_text(encoding="ascii").strip()
