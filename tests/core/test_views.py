"""Tables and drawings of networks: what they say, how they are made, and that the page agrees with the picture."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import hypothesis
import pytest
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import InvalidArgumentError, NotFoundError
from dovetail.extend import graph_from_data, graph_to_data
from dovetail.views.geometry import Picture
from dovetail.views.ordering import Arrangement, arrange, place
from dovetail.views.outline import Box, outline

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def network() -> Any:
    """A network with scopes, a layer within a layer, and one that is called twice."""
    x = dt.placeholder(dt.float32, ["batch", 8], name="x")
    with dt.name_scope("body"):
        twice = dt.layers.Dense(8, name="twice")
        x = twice(dt.nn.relu(twice(x)))
        x = dt.layers.batch_normalization(x, name="norm")
    return dt.layers.Sequential([dt.layers.Dense(4, name="one"), dt.layers.Dense(3, name="two")], name="head")(x)


# Tables. --------------------------------------------------------------------------------------------------------------


def test_a_table_counts_each_weight_once_and_all_work() -> None:
    y = network()
    table = dt.summary_table(y, sizes=10)
    rows = {row.name: row for row in table.rows}
    assert list(rows) == [
        "x",
        "body/twice",
        "body/twice_1",
        "body/norm",
        "head",
        "head/one",
        "head/two",
        "(outside layers)",
    ]
    assert [row.depth for row in table.rows] == [0, 0, 0, 0, 0, 1, 1, 0]
    assert (rows["body/twice"].weights, rows["body/twice_1"].shares) == (72, True)
    assert (rows["body/norm"].trainable, rows["body/norm"].fixed) == (16, 16)
    assert rows["head"].weights == rows["head/one"].weights + rows["head/two"].weights == 36 + 15
    assert (table.trainable, table.fixed, table.bytes) == (72 + 16 + 51, 16, 4 * (72 + 32 + 51))
    assert rows["head/two"].flops == 2 * 10 * 4 * 3 + 10 * 3
    assert rows["(outside layers)"].flops == 80
    assert table.flops == sum(row.flops for row in table.rows if row.depth == 0) == dt.explain(y, sizes=10).flops
    assert str(rows["head"].outputs[0]) == "float32[batch, 3]"


def test_a_table_is_laid_out_for_terminals_and_notebooks() -> None:
    table = dt.summary_table(network(), sizes={"batch": 2})
    lines = str(table).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "weights", "FLOP"]
    assert re.fullmatch(r"body/twice_1 +dense +float32\[batch, 8\] +shared +272", lines[4])
    assert re.fullmatch(r"body/norm +batch_normalization +float32\[batch, 8\] +32 \(16 fixed\) +\S+ ?k?", lines[5])
    assert re.fullmatch(r"  head/one +dense +float32\[batch, 4\] +36 +136", lines[7])
    assert lines[-2] == "155 weights, 16 of them fixed, 620 B"
    assert lines[-1].endswith("FLOP for batch=2")
    assert len({len(line.rstrip()) for line in lines[1:2]}) == 1
    page = ET.fromstring(f"<div>{table._repr_html_()}</div>")
    assert [one.text for one in page.findall(".//th")] == ["layer", "kind", "output", "weights", "FLOP"]
    assert len(page.findall(".//tbody/tr")) == len(table.rows)


def test_a_table_of_a_training_step_and_of_no_layer() -> None:
    loss = dt.reduce_mean(dt.square(network()))
    plain = dt.summary_table(loss)
    whole = dt.summary_table([loss, dt.train.AdamOptimizer(0.1).minimize(loss)])
    assert (whole.trainable, whole.fixed, whole.bytes) == (plain.trainable, plain.fixed, plain.bytes)
    assert whole.rows[-1].name == "(outside layers)"
    assert whole.kept == whole.rows[-1].kept == 2 * plain.trainable + 2, "Adam keeps two numbers for each weight"
    assert "(280 kept)" in str(whole)
    assert str(whole).splitlines()[-2] == "155 weights, 16 of them fixed, 620 B, and 280 numbers kept beside them"
    x = dt.placeholder(dt.float32, None, name="anything")
    table = dt.summary_table(dt.nn.relu(x), {x: [1.0, -1.0]})
    assert [row.name for row in table.rows] == ["(outside layers)"]
    assert str(dt.summary_table(dt.constant(1.0))).endswith("0 weights, 0 B\n0 FLOP")


# Rows and places. -----------------------------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]], int, int]:
    inner, top, bottom = draw(st.integers(1, 9)), draw(st.integers(0, 2)), draw(st.integers(0, 2))
    count = inner + top + bottom
    starts = st.integers(0, inner + top - 1)
    ends = st.integers(0, count - 1).filter(lambda v: not inner <= v < inner + top)
    edges = draw(st.lists(st.tuples(starts, ends).filter(lambda pair: pair[0] != pair[1]), max_size=20, unique=True))
    return count, edges, top, bottom


def depths_of(arrangement: Arrangement) -> dict[int, int]:
    return {vertex: depth for depth, row in enumerate(arrangement.rows) for vertex in row}


@hypothesis.given(graphs())
def test_edges_lead_down_and_each_vertex_stands_once(graph: tuple[int, list[tuple[int, int]], int, int]) -> None:
    count, edges, top, bottom = graph
    found = arrange(count, edges, top, bottom)
    depths = depths_of(found)
    standing = [vertex for row in found.rows for vertex in row]
    assert sorted(standing) == list(range(len(standing)))
    for (u, v), chain, back in zip(edges, found.chains, found.reversed, strict=True):
        assert (chain[0], chain[-1]) == ((v, u) if back else (u, v))
        assert all(depths[lower] == depths[upper] + 1 for upper, lower in pairwise(chain))
        assert all(vertex >= count for vertex in chain[1:-1])
    inner = count - top - bottom
    if top:
        assert sorted(vertex for vertex in found.rows[0] if vertex < count) == list(range(inner, inner + top))
    if bottom:
        assert sorted(vertex for vertex in found.rows[-1] if vertex < count) == list(range(inner + top, count))


@hypothesis.given(graphs(), st.integers(1, 60))
def test_boxes_keep_their_distances(graph: tuple[int, list[tuple[int, int]], int, int], width: int) -> None:
    count, edges, top, bottom = graph
    found = arrange(count, edges, top, bottom)
    left, right = [width / 2.0] * count, [width / 2.0 + one for one in range(count)]
    places = place(found, left, right, [(0.0, 0.0)] * len(edges), 10.0, 4.0)
    for row in found.rows:
        for one, other in pairwise(row):
            sized = one < count and other < count
            least = (right[one] if one < count else 0.0) + (left[other] if other < count else 0.0)
            assert places[other] - places[one] >= least + (10.0 if sized else 4.0) - 1e-6


def test_crossings_that_need_not_be_are_undone() -> None:
    found = arrange(6, [(0, 5), (1, 4), (2, 3)])
    upper, lower = found.rows
    partner = {0: 5, 1: 4, 2: 3}
    assert [partner[vertex] for vertex in upper] == lower


def test_chains_are_straight_and_what_is_long_is_divided() -> None:
    found = arrange(4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert [len(row) for row in found.rows] == [1, 2, 2, 1]
    places = place(found, [20.0] * 4, [20.0] * 4, [(0.0, 0.0)] * 4, 10.0, 4.0)
    assert places[1] == pytest.approx(places[2])
    many = arrange(3000, [*pairwise(range(3000)), *((0, v) for v in range(2, 3000))])
    assert sum(map(len, many.rows)) <= 3000 + 4000, "what divides edges must not outgrow the graph"


# Outlines. ------------------------------------------------------------------------------------------------------------


def names(box: Box) -> list[str]:
    return [f"{child.kind} {child.label}" for child in box.children]


def find(box: Box, name: str) -> Box:
    (found,) = (one for one in every(box) if one.name == name)
    return found


def every(box: Box) -> list[Box]:
    return [box, *(inner for child in box.children for inner in every(child))]


def test_boxes_follow_scopes_and_layers_and_leave_constants_out() -> None:
    root = outline(dt.get_default_graph(), network())
    assert names(root) == ["placeholder x", "scope body", "layer head", "output output"]
    assert names(find(root, "body")) == ["layer twice", "operation Relu", "layer twice_1", "layer norm"]
    assert find(root, "body/twice").detail == "dense, 72 weights"
    assert {"variable kernel", "variable bias", "operation MatMul"} <= set(names(find(root, "body/twice_1")))
    assert list(find(root, "body").entries) == ["x:0"]
    types = [text for link in root.links for text in link.tensors.values()]
    assert types == ["[batch, 8]", "[batch, 8]", "[batch, 3]"]
    with_constant = outline(dt.get_default_graph(), dt.constant([1, 2]) + 3)
    assert names(with_constant) == ["operation Add", "output output"]


def test_what_an_optimizer_keeps_stands_with_it_and_order_is_dashed() -> None:
    y = network()
    loss = dt.reduce_mean(y, name="loss")
    root = outline(dt.get_default_graph(), dt.train.AdamOptimizer(0.1).minimize(loss, name="training"))
    inside = {box.kind: box for box in every(find(root, "body/twice")) if box.kind == "variable"}
    assert inside["variable"].label in ("kernel", "bias")
    assert all("Adam" not in box.label for box in every(find(root, "body")))
    drawing = dt.draw([loss, "training"], unfold="all")
    assert "stroke-dasharray" in drawing.svg


def test_many_tensors_take_one_way_out_and_few_take_their_own() -> None:
    loss = dt.reduce_mean(network(), name="loss")
    root = outline(dt.get_default_graph(), dt.train.GradientDescentOptimizer(0.1).minimize(loss))
    body, gradients = find(root, "body"), find(root, "gradients")
    assert "to gradients" in body.exits
    assert "from body" in gradients.entries
    assert "body/norm/BatchNormalization:0" in body.exits, "what goes on to the head takes a way of its own"
    (link,) = (one for one in root.links if one.exits and "to gradients" in one.exits.values() and one.source == 1)
    assert len(link.tensors) > 3


# Drawings. ------------------------------------------------------------------------------------------------------------


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()).strip() for one in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_drawing_shows_layers_with_shapes_between_them(tmp_path: Path) -> None:
    drawing = dt.draw(network(), tmp_path / "net.svg")
    svg = (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert svg == drawing.svg == dt.draw("head/two/BiasAdd:0").svg, "it is the same each time"
    assert {"x", "twice", "dense, 72 weights", "head", "[batch, 8]", "[batch, 3]", "output"} <= set(texts(svg))
    assert "kernel" not in texts(svg), "layers are folded at first"
    assert re.fullmatch(r"<dovetail drawing of \d+ nodes: save\(\) it to '.svg' or '.html'>", repr(drawing))
    assert "prefers-color-scheme:dark" in svg
    frame = ET.fromstring(svg)
    width, height = float(frame.get("width", "")), float(frame.get("height", ""))
    for rect in list(frame.iter(f"{SVG}rect"))[1:]:
        x, y, w, h = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height


def test_what_is_unfolded_and_what_is_not_there() -> None:
    y = network()
    assert texts(dt.draw(y, unfold="body/twice").svg).count("kernel") == 1
    assert texts(dt.draw(y, unfold=["body/twice", "head/one"]).svg).count("kernel") == 2
    assert texts(dt.draw(y, unfold="all").svg).count("kernel") == 4
    with pytest.raises(NotFoundError, match=r"draw: there is no scope or layer 'body/twise' .*mean 'body/twice'"):
        dt.draw(y, unfold="body/twise")
    with pytest.raises(InvalidArgumentError, match=r"draw: 'net.png' ends in '.png'; write '.svg' for a picture"):
        dt.draw(y, "net.png")


def test_a_network_in_one_layer_is_drawn_from_within() -> None:
    x = dt.placeholder(dt.float32, [None, 8], name="x")
    y = dt.layers.Sequential([dt.layers.Dense(4, name="one"), dt.layers.Dense(3, name="two")], name="all")(x)
    assert {"one", "two"} <= set(texts(dt.draw(y).svg))


def test_names_that_mean_something_to_browsers_are_shown_as_they_are() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    data = json.loads(json.dumps(graph_to_data(x.graph)).replace('"x"', '"</script>&<b>"'))
    with dt.Graph().as_default() as graph:
        strange = graph_from_data(data, graph)["</script>&<b>"].outputs[0]
        drawing = dt.draw(strange * 2.0, unfold="all")
    assert {"<", "script>&<b>"} <= set(texts(drawing.svg)), "a slash divides scope and name"
    assert drawing.html.count("</script>") == 2
    assert json.loads(data_of(drawing.html))["tensors"][0] == ["</script>&<b>:0", "[2]"]
    assert "srcdoc" in drawing._repr_html_()


def test_loops_of_boxes_are_drawn() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    with dt.name_scope("one"):
        first = dt.exp(x)
    with dt.name_scope("other"):
        middle = dt.sin(first)
    with dt.name_scope("one/"):
        last = dt.cos(middle)
    root = outline(dt.get_default_graph(), last)
    assert any(root.arrangement().reversed)
    assert "stroke-dasharray" in dt.draw(last).svg


@hypothesis.settings(max_examples=20)
@hypothesis.given(
    st.lists(
        st.tuples(st.sampled_from(["", "a", "a/b", "c", "c/d/e"]), st.integers(0, 99), st.integers(0, 99)),
        min_size=1,
        max_size=25,
    )
)
def test_boxes_lie_apart_within_those_around_them(nodes: list[tuple[str, int, int]]) -> None:
    with dt.Graph().as_default():
        made = [dt.placeholder(dt.float32, [2], name="x")]
        for scope, one, other in nodes:
            with dt.name_scope(f"{scope}/" if scope else None):
                made.append(made[one % len(made)] + made[other % len(made)])
        for unfold in ((), "all"):
            check_apart(dt.draw(made[-3:], unfold=unfold).picture)


def check_apart(picture: Picture) -> None:
    for inner, left, top in picture.inner:
        assert left >= 0.0
        assert top >= 0.0
        assert left + inner.width <= picture.width + 1e-6
        assert top + inner.height <= picture.height + 1e-6
        check_apart(inner)
    for (one, left, top), (other, other_left, other_top) in combinations(picture.inner, 2):
        beside = left + one.width <= other_left + 1e-6 or other_left + other.width <= left + 1e-6
        assert beside or top + one.height <= other_top + 1e-6 or other_top + other.height <= top + 1e-6
    for curve in picture.curves:
        assert all(-1e-6 <= x <= picture.width + 1e-6 and -1e-6 <= y <= picture.height + 1e-6 for x, y in curve.points)


def data_of(page: str) -> str:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found[1]


def test_a_page_asks_for_nothing_from_elsewhere() -> None:
    page = dt.draw(network()).html
    assert re.findall(r"(?:src|href)=", page) == []
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "prefers-color-scheme:dark" in page


@pytest.mark.skipif(shutil.which("node") is None, reason="the page's program is run by node")
@pytest.mark.parametrize("unfold", [(), "all"])
def test_a_page_puts_boxes_and_edges_where_the_picture_has_them(unfold: Any, tmp_path: Path) -> None:
    y = network()
    loss = dt.reduce_mean(y)
    fetches = [loss, dt.train.AdamOptimizer(0.1).minimize(loss)]
    drawing = dt.draw(fetches, unfold=unfold)
    (program,) = re.findall(r'<script>\n"use strict";(.*?)// Drawing\.', drawing.html, re.DOTALL)
    program = program.replace('document.getElementById("data").textContent', json.dumps(data_of(drawing.html)))
    program = re.sub(r"const svg = document.*", "", program)
    program += (
        "const own = b => [[b.n, ...b.curves.map(c => [c.label, c.title, c.arrow, c.dashed])],"
        "  [b.w, b.h, b.left ?? 0, b.top ?? 0, ...b.curves.flatMap(c => c.points.flat())]];"
        "const walk = b => [own(b), ...b.open ? b.c.flatMap(walk) : []];"
        "measure(root);"
        "console.log(JSON.stringify(walk(root)))"
    )
    (tmp_path / "page.js").write_text(program, encoding="utf-8")
    done = subprocess.run(["node", str(tmp_path / "page.js")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def walk(picture: Picture, left: float, top: float) -> list[tuple[list[Any], list[float]]]:
        words = [picture.box.name, *([c.label, c.title, c.arrow, c.dashed] for c in picture.curves)]
        numbers = [picture.width, picture.height, left, top]
        numbers += [number for curve in picture.curves for point in curve.points for number in point]
        return [(words, numbers), *(one for inner in picture.inner for one in walk(*inner))]

    here, there = walk(drawing.picture, 0.0, 0.0), json.loads(done.stdout)
    assert [words for words, _ in here] == [words for words, _ in there]
    assert len(here) > (50 if unfold else 8)
    for (_, ours), (_, theirs) in zip(here, there, strict=True):
        assert theirs == pytest.approx(ours, abs=0.01)


def test_the_picture_of_the_documents_is_up_to_date(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "picture.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "block2/shortcut2" in done.stdout
    made = (tmp_path / "network.svg").read_text(encoding="utf-8")
    kept = (ROOT / "docs" / "images" / "network.svg").read_text(encoding="utf-8")
    assert made == kept, "run: python examples/picture.py docs/images"
    assert (tmp_path / "network.html").is_file()
