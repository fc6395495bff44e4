"""The question-schema graph."""

from pathlib import Path

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.linking.link import Link, link
from critiql.tools.linking.qss import ColumnNode, build_qss, serialise
from critiql.tools.linking.value_index import open_value_index
from critiql.tools.schema.model import Schema

QUESTION = "Which authors from Europe wrote books with more than 200 pages?"


@pytest.fixture
def links(library: Database, tmp_path: Path) -> tuple[Link, ...]:
    with open_value_index(library, tmp_path / "v") as index:
        return link(QUESTION, library.schema(), index)


def test_nodes_and_edges(library: Database, links: tuple[Link, ...]) -> None:
    schema = library.schema()
    graph = build_qss(schema, links)
    kinds = {
        kind: [edge for edge in graph.edges if edge.kind == kind]
        for kind in {each.kind for each in graph.edges}
    }
    columns = sum(len(table.columns) for table in schema.tables)
    assert len(kinds["has_column"]) == columns
    assert len(kinds["primary_key_of"]) == sum(len(table.primary_key) for table in schema.tables)
    both = {(edge.source, edge.target) for edge in kinds["foreign_key_to"]}
    assert both == {(target, source) for source, target in both}
    assert len(both) == 2 * sum(len(key.columns) for key in schema.foreign_keys)
    assert {edge.target.name for edge in kinds["span_table"] if not isinstance(edge.target, tuple)} >= {
        "author",
        "book",
    }
    assert all(isinstance(edge.target, ColumnNode) for edge in kinds["span_column"])
    ends = {edge.source for edge in graph.edges} | {edge.target for edge in graph.edges}
    assert ends <= set(graph.nodes)


def test_a_named_value_is_the_first_example(library: Database, links: tuple[Link, ...]) -> None:
    graph = build_qss(library.schema(), links)
    continent = next(
        node for node in graph.nodes if isinstance(node, ColumnNode) and node.name == "continent"
    )
    assert continent.examples[0] == "Europe"


def test_serialised(library: Database, links: tuple[Link, ...]) -> None:
    text = serialise(build_qss(library.schema(), links))
    lines = text.splitlines()
    assert "author(author_id pk [1, 2, 3], name [Ida Strand, Luis Rojas, Mei Sato]," in lines[1]
    assert "country_id -> country.country_id" in lines[1]
    assert "\"Europe\": country.continent = 'Europe'" in lines
    assert text == serialise(build_qss(library.schema(), links))


def test_links_to_what_was_pruned_are_left_out(library: Database, links: tuple[Link, ...]) -> None:
    schema = library.schema()
    part = Schema(tuple(table for table in schema.tables if table.name == "book"))
    graph = build_qss(part, links)
    assert {each.table for each in graph.links} == {"book"}
