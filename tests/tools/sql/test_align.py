"""Spans: nested, exact, and over the whole text."""

import itertools
from pathlib import Path

import pytest
from sqlglot import exp

from critiql.tools.sql.align import Alignment, align
from critiql.tools.sql.parse import Parsed, ParseFailure, parse

QUERIES = Path(__file__).parents[2] / "fixtures" / "sql" / "queries.sql"
NOT_ALONE = (exp.TsOrDsToTimestamp, exp.CurrentTimestamp, exp.JSONPath, exp.WindowSpec)
"""Made by sqlglot around arguments, or no expression of its own."""


def queries() -> list[str]:
    lines = QUERIES.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("--")]


def stands_alone(node: exp.Expr) -> bool:
    """Whether the node's text, read alone, must give the node again."""
    parent = node.parent
    if isinstance(parent, exp.Not) and isinstance(node, exp.In | exp.Between | exp.Is | exp.Like):
        return False
    in_case = isinstance(node, exp.If) and isinstance(parent, exp.Case)
    implied = isinstance(node, exp.Boolean) and isinstance(parent, exp.Join)
    return isinstance(node, exp.Condition) and not in_case and not implied and not isinstance(node, NOT_ALONE)


def reread(prefix: str, text: str) -> exp.Expr | None:
    parsed = parse(f"{prefix} {text}")
    if isinstance(parsed, ParseFailure):
        return None
    tree = parsed.tree
    return tree.args["from_"].this if "FROM" in prefix else next(iter(tree.expressions), None)


def check_nesting(tree: exp.Query, spans: Alignment) -> None:
    for node in tree.walk():
        start, end = spans.span(node)
        assert start < end
        children = sorted(spans.span(child) for child in node.iter_expressions())
        assert all(start <= first and last <= end for first, last in children)
        for one, other in itertools.pairwise(children):
            assert one[1] <= other[0] or (one[0] <= other[0] and other[1] <= one[1]) or one[0] == other[0]


def check_texts(tree: exp.Query, spans: Alignment) -> None:
    for node in tree.walk():
        under = spans.under(node)
        if isinstance(node, exp.Table):
            assert node.args.get("joins") or reread("SELECT * FROM", under) == node, under
        elif isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
            parsed = parse(under)
            assert isinstance(parsed, Parsed), under
            assert parsed.tree == node, under
        elif stands_alone(node) and not isinstance(node, exp.Star | exp.Identifier | exp.Subquery):
            assert reread("SELECT", under) == node, under


def check(sql: str) -> None:
    parsed = parse(sql)
    if isinstance(parsed, ParseFailure):
        return
    spans = align(parsed)
    check_nesting(parsed.tree, spans)
    check_texts(parsed.tree, spans)
    start, end = spans.span(parsed.tree)
    outside = sql[:start] + sql[end:].split("--")[0]
    assert not outside.strip("; \n\t\r")


@pytest.mark.parametrize("sql", queries())
def test_spans_are_exact(sql: str) -> None:
    assert isinstance(parse(sql), Parsed)
    check(sql)


@pytest.mark.parametrize(
    ("sql", "kind", "text"),
    [
        ("SELECT a FROM t WHERE a  NOT IN (1, 2)", exp.Not, "a  NOT IN (1, 2)"),
        ("SELECT a FROM t WHERE NOT a IN (1, 2)", exp.Not, "NOT a IN (1, 2)"),
        ("SELECT a FROM t WHERE a IS NOT NULL", exp.Not, "a IS NOT NULL"),
        ("SELECT a FROM t ORDER BY a DESC LIMIT 2, 3", exp.Limit, "LIMIT 2, 3"),
        ("SELECT a FROM t GROUP  BY a", exp.Group, "GROUP  BY a"),
        ("SELECT a FROM t, u", exp.Join, ", u"),
        ("SELECT a FROM t LEFT JOIN u ON t.a = u.a", exp.Join, "LEFT JOIN u ON t.a = u.a"),
        ("SELECT DISTINCT a FROM t", exp.Distinct, "DISTINCT"),
        ("SELECT CAST(a AS REAL) FROM t", exp.DataType, "REAL"),
        ("SELECT count( * ) FROM t", exp.Count, "count( * )"),
        ("SELECT a FROM (SELECT 1 AS a) AS s", exp.Subquery, "(SELECT 1 AS a) AS s"),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1)", exp.Exists, "EXISTS (SELECT 1)"),
        ("SELECT a -- c\nFROM t -- d", exp.From, "FROM t"),
    ],
)
def test_what_is_under_a_node(sql: str, kind: type[exp.Expr], text: str) -> None:
    parsed = parse(sql)
    assert isinstance(parsed, Parsed)
    node = parsed.tree.find(kind)
    assert node is not None
    assert align(parsed).under(node) == text


def test_a_node_of_another_tree_has_no_span() -> None:
    parsed = parse("SELECT a FROM t")
    assert isinstance(parsed, Parsed)
    with pytest.raises(KeyError):
        align(parsed).span(exp.column("a"))


@pytest.mark.data
@pytest.mark.slow
def test_spans_are_exact_on_the_benchmarks(benchmark_sql: list[str]) -> None:
    for sql in benchmark_sql:
        check(sql)
    assert len(benchmark_sql) > 10_000
