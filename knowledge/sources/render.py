"""Renders the demo businesses' office documents from their sources.

`python -m knowledge.sources.render` writes them; with `--check` it only says which differ (exit code 1).
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from knowledge.sources.printed import render_pdf
from knowledge.sources.source import KINDS, BadSource, Source, load_source
from knowledge.sources.word import render_docx
from knowledge.sources.workbook import render_xlsx

SOURCES = Path(__file__).parent
DOCUMENTS = SOURCES.parent / "documents"
BUSINESSES = SOURCES.parent / "businesses"

_RENDERERS: dict[str, Callable[[Source], bytes]] = {
    ".pdf": render_pdf,
    ".docx": render_docx,
    ".xlsx": render_xlsx,
}


def sources() -> Iterator[Source]:
    """Every source there is, by business and name. Raises BadSource."""
    for folder in sorted(path for path in SOURCES.iterdir() if (BUSINESSES / f"{path.name}.yaml").exists()):
        record = yaml.safe_load((BUSINESSES / f"{folder.name}.yaml").read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.md")):
            if Path(path.stem).suffix not in KINDS:
                raise BadSource(f"{path}: name it <document>.pdf.md, .docx.md or .xlsx.md")
            yield load_source(path, record["name"])


def render(source: Source) -> bytes:
    """The document's bytes, the same for the same source. Raises BadSource."""
    return _RENDERERS[source.kind](source)


def target(source: Source) -> Path:
    """Where the document of this source stands."""
    return DOCUMENTS / source.path.parent.name / source.path.stem


def main(arguments: list[str]) -> int:
    """Writes or checks all documents; returns the exit code."""
    only_check = arguments == ["--check"]
    if arguments and not only_check:
        sys.stderr.write("usage: python -m knowledge.sources.render [--check]\n")
        return 2
    try:
        changed = [target(source) for source in sources() if _differs(source, write=not only_check)]
    except BadSource as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path in changed:
        sys.stdout.write(f"{'differs from its source' if only_check else 'written'}: {path}\n")
    return 1 if changed and only_check else 0


def _differs(source: Source, *, write: bool) -> bool:
    data, path = render(source), target(source)
    if path.exists() and path.read_bytes() == data:
        return False
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
