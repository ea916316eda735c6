"""A customer's data in a folder: contact.json for machines, contact.html for people, and their files."""

import json
import shutil
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crm import businesses
from crm.privacy import export as exporting
from crm.privacy import people
from crm.privacy.export import Export
from crm.record import Crm
from crm.sealing import Seal
from db.checkpoints import TenantSaver
from db.tenancy import tenant


async def thread_states(saver: TenantSaver, business_id: int, threads: list[str]) -> dict[str, Any]:
    """What the graph remembers of each thread, by thread id; threads it has forgotten are left out."""
    states: dict[str, Any] = {}
    with tenant(business_id):
        for thread in threads:
            kept = await saver.aget({"configurable": {"thread_id": thread, "checkpoint_ns": ""}})
            if kept is not None:
                values = kept["channel_values"]
                states[thread] = {key: value for key, value in values.items() if not key.startswith("__")}
    return states


async def zipped(crm: Crm, saver: TenantSaver, seal: Seal | None, business_id: int, contact_id: int) -> bytes:
    """The same files in one archive. Raises UnknownContact, NotOurSeal."""
    async with crm.transaction(business_id) as tx:
        person = await people.find(tx, f"#{contact_id}")
        made = await exporting.export(tx, person, seal)
        threads = [row.thread_id for row in await people.threads(tx, contact_id)]
        name = (await businesses.row(tx)).name
    async with crm.as_owner() as tx:
        made.raw_webhooks = await exporting.count_raw(tx, person)
    made.threads = await thread_states(saver, business_id, threads)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in pages(made, name).items():
            archive.writestr(path, content)
    return packed.getvalue()


def pages(export: Export, business: str) -> dict[str, bytes]:
    """The files of an export, by name."""
    return {
        "contact.json": json.dumps(export.data(), ensure_ascii=False, indent=2, default=_plain).encode(),
        "contact.html": _page(export, business).encode(),
        **{file.name: file.content for file in export.files},
    }


def whose(folder: Path) -> int | None:
    """The number of the contact whose export lies in the folder; None where none can be read there."""
    try:
        data = json.loads((folder / "contact.json").read_bytes())
    except (OSError, ValueError):
        return None
    return data.get("contact_id") if isinstance(data, dict) else None


def write(export: Export, folder: Path, business: str) -> list[Path]:
    """Writes the export; the folder and its files are readable by their owner alone. Returns the files.

    The files of an earlier export go: what has been deleted since is no longer held.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / "files").exists():
        shutil.rmtree(folder / "files")
    written = []
    for name, content in pages(export, business).items():
        path = folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)
        written.append(path)
    return written


def _page(export: Export, business: str) -> str:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template("contact_page.html").render(export=export, business=business, shown=_shown)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M %Z")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=_plain, indent=1)
    return str(value)


def _plain(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
