"""The graph as a picture, drawn on this machine: Graphviz (as import-linter brings it along) in a Chromium.

LangGraph's own `draw_mermaid_png` sends the graph to a service. What is needed here are tools of development:
playwright, a Chromium, import-linter's copy of Viz.js (https://viz-js.com).
"""

import hashlib
import html
import importlib
import importlib.util
import io
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from graph.build import build

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_VIZ = "ui/static/viz-standalone.js"
_MARK = "graph"  # the picture's own note of what it shows
_WIDTH = 34
_COLOURS = {
    "hears and knows": ("#e8f1fb", ("transcribe", "load_contact")),
    "decides without a model": ("#eaf6ea", ("triage", "score_sensitivity", "check_grounding")),
    "finds and words": ("#fdf3e1", ("retrieve", "generate")),
    "acts and speaks": ("#f3eafa", ("execute_intent", "reply")),
    "a person": ("#fbe8e8", ("open_handoff", "await_human")),
}


class CannotDraw(Exception):
    """The graph cannot be drawn here: install the development packages and a Chromium."""


def dot() -> str:
    """The compiled graph in Graphviz's language, every node with the first sentence it says of itself."""
    drawn = build(None).get_graph()
    colours = {name: colour for colour, names in _COLOURS.values() for name in names}
    lines = [_node(name, colours.get(name)) for name in drawn.nodes]
    edges = sorted((edge.source, edge.target, edge.conditional) for edge in drawn.edges)
    lines += [
        f'"{source}" -> "{target}" [style={"dashed" if chosen else "solid"}]'
        for source, target, chosen in edges
    ]
    body = "\n  ".join([*_SETTINGS, *lines, _legend(_COLOURS)])
    return f"digraph sara {{\n  {body}\n}}\n"


_SETTINGS = (
    'graph [rankdir=TB, nodesep=0.35, ranksep=0.45, bgcolor=white, pad=0.2, fontname="Helvetica"]',
    'node [shape=box, style="rounded,filled", color="#5a6475", fontname="Helvetica", margin="0.35,0.1"]',
    'edge [color="#5a6475", arrowsize=0.7]',
)


# Graphviz guesses how wide letters are; where this machine's are wider, they stay in the middle all the same.
_RENDER = """
async dot => {
  document.body.append((await Viz.instance()).renderSVGElement(dot))
  for (const node of document.querySelectorAll("g.node:not(:has(polygon))")) {
    const box = node.querySelector("path, ellipse").getBBox()
    for (const text of node.querySelectorAll("text")) {
      text.setAttribute("text-anchor", "middle")
      text.setAttribute("x", box.x + box.width / 2)
    }
  }
}
"""


def _node(name: str, colour: str | None) -> str:
    if colour is None:
        word = html.escape(name.strip("_"))
        return f'"{name}" [label="{word}", shape=oval, fillcolor="#eeeeee"]'
    module = importlib.import_module(f"nodes.{name}")
    said = (
        " ".join((getattr(module, name).__doc__ or "").split("\n\n")[0].split())
        .partition(". ")[0]
        .replace("`", "")
    )
    told = "<br/>".join(html.escape(line) for line in textwrap.wrap(said.rstrip("."), _WIDTH))
    label = f'<b>{html.escape(name)}</b><br/><font point-size="10">{told}</font>'
    return f'"{name}" [label=<{label}>, fillcolor="{colour}"]'


def _legend(colours: Mapping[str, tuple[str, Iterable[str]]]) -> str:
    rows = "".join(
        f'<tr><td bgcolor="{colour}" width="22"> </td><td align="left">{html.escape(what)}</td></tr>'
        for what, (colour, _) in colours.items()
    )
    rows += '<tr><td> ⇢ </td><td align="left">dashed: the node chooses</td></tr>'
    table = f'<table border="0" cellborder="0" cellspacing="4">{rows}</table>'
    return f"legend [shape=plain, fontsize=11, style=solid, label=<{table}>]"


def mark() -> str:
    """What a picture of today's graph carries: a hash of what was drawn."""
    return hashlib.sha256(dot().encode()).hexdigest()[:16]


def mark_of(picture: Path) -> str | None:
    """What a picture carries; None where it was not made here."""
    from PIL import Image

    with Image.open(picture) as image:
        found = image.info.get(_MARK)
    return str(found) if found else None


async def draw() -> bytes:
    """The picture as PNG. Raises CannotDraw."""
    viz = _viz()
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError as error:
        raise CannotDraw("playwright is missing: install the development packages") from error
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    try:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = await chromium.new_page(device_scale_factor=1.5)
            await page.set_content("<body style='margin:0'></body>")
            await page.add_script_tag(path=viz)
            await page.evaluate(_RENDER, dot())
            taken = await page.locator("svg").screenshot()
            await chromium.close()
    except Error as error:
        raise CannotDraw(f"Chromium could not draw: {str(error).splitlines()[0]}") from error
    return _marked(taken)


def _viz() -> Path:
    found = importlib.util.find_spec("importlinter")
    for place in (found.submodule_search_locations or ()) if found else ():
        if (viz := Path(place) / _VIZ).exists():
            return viz
    raise CannotDraw("Graphviz is missing: install the development packages (import-linter brings it)")


def _marked(taken: bytes) -> bytes:
    """The picture in few colours, with its mark."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    note = PngInfo()
    note.add_text(_MARK, mark())
    out = io.BytesIO()
    with Image.open(io.BytesIO(taken)) as image:
        image.convert("RGB").quantize(128).save(out, "PNG", pnginfo=note, optimize=True)
    return out.getvalue()
