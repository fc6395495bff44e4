"""The question-schema graph and what pruning keeps."""

from pathlib import Path

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.linking.link import Link, link
from critiql.tools.linking.prune import ColumnNode, build_qss, prune, serialise
from critiql.tools.linking.value_index import open_value_index
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import Schema

QUESTION = "Which authors from Europe wrote books with more than 200 pages?"


@pytest.fixture
def links(library: Database, tmp_path: Path) -> tuple[Link, ...]:
    with open_value_index(library, tmp_path / "v") as index:
        return link(QUESTION, library.schema(), index)


def characters(text: str) -> int:
    return len(text)


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


def test_what_fits_is_not_pruned(library: Database, links: tuple[Link, ...]) -> None:
    schema = library.schema()
    assert prune(schema, links, len(ddl(schema)), characters) is schema
    assert prune(schema, (), 10**9, characters) is schema


@pytest.mark.parametrize("share", [0.75, 0.5, 0.35, 0.2])
def test_pruning_keeps_keys_links_and_the_budget(
    share: float, library: Database, links: tuple[Link, ...]
) -> None:
    schema = library.schema()
    budget = int(len(ddl(schema)) * share)
    part = prune(schema, links, budget, characters)
    assert len(ddl(part)) <= budget
    kept = {table.name for table in part.tables}
    assert {"author", "book"} <= kept
    assert [table.name for table in schema.tables if table.name in kept] == [
        table.name for table in part.tables
    ]
    check_keys(schema, part)
    for each in links:
        if each.column and each.table in kept:
            table = part.table(each.table)
            assert table is not None
            assert table.column(each.column)
    for table in part.tables:
        assert all(len(row) == len(table.columns) for row in part.samples.get(table.name, ()))


def check_keys(schema: Schema, part: Schema) -> None:
    """Primary keys, and the foreign keys between kept tables with both their ends, are all there."""
    kept = {table.name for table in part.tables}
    for table in part.tables:
        whole = schema.table(table.name)
        assert whole is not None
        assert table.primary_key == whole.primary_key
    between = [key for key in schema.foreign_keys if {key.table, key.to_table} <= kept]
    assert list(part.foreign_keys) == between
    for key in between:
        for name, columns in ((key.table, key.columns), (key.to_table, key.to_columns)):
            found = part.table(name)
            assert found is not None
            assert all(found.column(column) for column in columns)


def test_tables_on_the_way_between_linked_ones_stay(library: Database) -> None:
    schema = library.schema()
    links = link("the remark and the district", schema)
    part = prune(schema, links, int(len(ddl(schema)) * 0.9), characters)
    assert {"review", "branch"} <= {table.name for table in part.tables}


def test_something_is_left_of_an_impossible_budget(library: Database, links: tuple[Link, ...]) -> None:
    part = prune(library.schema(), links, 1, characters)
    assert len(part.tables) >= 1
    assert len(prune(library.schema(), (), 1, characters).tables) >= 1


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
