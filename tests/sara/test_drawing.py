"""The picture of the graph in the documentation is drawn here, and shows the graph there is."""

import shutil
from pathlib import Path

import pytest

from graph.build import build
from sara import drawing

PICTURE = Path(__file__).parents[2] / "docs/graph.png"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def test_every_node_and_edge_is_drawn() -> None:
    written, graph = drawing.dot(), build(None).get_graph()
    for edge in graph.edges:
        style = "dashed" if edge.conditional else "solid"
        assert f'"{edge.source}" -> "{edge.target}" [style={style}]' in written
    for name in set(graph.nodes) - {"__start__", "__end__"}:
        assert f"<b>{name}</b><br/>" in written
        assert f'<b>{name}</b><br/><font point-size="10"></font>' not in written  # it says what it does
    assert written.count("fillcolor") == len(graph.nodes)


def test_the_picture_in_the_documentation_shows_todays_graph() -> None:
    """To draw it anew: `sara studio --draw docs/graph.png`."""
    assert drawing.mark_of(PICTURE) == drawing.mark()
    assert PICTURE.stat().st_size <= 300_000


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`")
def test_it_is_drawn_on_this_machine(bare, tmp_path: Path) -> None:
    ran = bare("studio", "--draw", tmp_path / "graph.png")
    assert ran.code == 0, ran.err
    assert drawing.mark_of(tmp_path / "graph.png") == drawing.mark()
    assert "graph.png cannot be written" in bare("studio", "--draw", tmp_path / "no/graph.png").one_line


def test_without_the_tools_it_says_what_is_missing(
    bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_VIZ", "nowhere.js")
    assert "install the development packages" in bare("studio", "--draw", tmp_path / "graph.png").one_line
