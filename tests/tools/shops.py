"""Businesses of other verticals: Aurora's services under another trade, entered beside the seeds."""

import itertools
from pathlib import Path

from knowledge.business_file import seed_files
from sara import seed
from tests.tools.talk import Room

_numbers = itertools.count(2001)


async def open_shop(room: Room, folder: Path, vertical: str, pack: str = "  {}\n") -> str:
    """Enters a business of that vertical with changes of its own to the pack; returns its slug."""
    number = next(_numbers)
    slug = f"{vertical.replace('_', '-')}-{number}"
    text = next(path for path in seed_files() if path.stem == "aurora").read_text(encoding="utf-8")
    text = text.replace("slug: aurora", f"slug: {slug}").replace('"1001"', f'"{number}"')
    path = folder / f"{slug}.yaml"
    path.write_text(f"{text.replace('vertical: wellness', f'vertical: {vertical}')}\npack:\n{pack}", "utf-8")
    room.ids[slug], _ = await seed.enter(room.crm, path)
    return slug
