"""Hypothesis strategies for SQL: queries by a grammar over some tables, and texts that look like SQL."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Draw = Callable[..., Any]
"""Draws a value of a strategy."""
Tables = Mapping[str, Sequence[str]]
"""Columns of each table; names that need quotes are quoted."""

LITERALS = st.sampled_from(
    [
        *("0", "1", "-1", "2.50", ".5", "1e3", "1e999", "0x1F", "9223372036854775807", "9223372036854775808"),
        *("NULL", "TRUE", "x'00ff'", "''", "'it''s'", "'ünï — 漢'", "'%a_'", "'a -- b'", "'/*'", "'x;y'"),
        "CURRENT_DATE",
    ]
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "%", "||", "&", "|", "<<"])
COMPARISONS = st.sampled_from(["=", "==", "<>", "!=", "<", ">=", "IS", "IS NOT", "LIKE", "NOT LIKE", "GLOB"])
FUNCTIONS = st.sampled_from(["ABS", "LOWER", "LENGTH", "ROUND", "TYPEOF", "date", "TRIM", "HEX", "total"])
AGGREGATES = st.sampled_from(["COUNT", "SUM", "AVG", "MIN", "MAX", "GROUP_CONCAT", "COUNT DISTINCT"])
JOINS = st.sampled_from(
    ["JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "CROSS JOIN", ",", "NATURAL JOIN"]
)
TYPES = st.sampled_from(["INTEGER", "TEXT", "REAL", "NUMERIC"])
NULL_TESTS = st.sampled_from(["IS NULL", "IS NOT NULL", "NOTNULL"])
ALIASES = st.sampled_from(["", "", " AS x", ' AS "odd name"', " alias", " 'text'"])
SET_OPERATORS = st.sampled_from(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
SPACES = st.sampled_from([" ", " ", " ", "\n", "\t", "  ", " /* x */ ", " -- y\n"])

WORDS = [*Path(__file__).with_name("sql_words.txt").read_text("utf-8").split(), "\x00", "\u202e"]
"""What a text of SQL, or nearly of SQL, is made of."""


class Grammar:
    """Queries over some tables. `stray` names, which no table has, occur now and then."""

    def __init__(self, tables: Tables, stray: Sequence[str] = ()) -> None:
        self.tables = tables
        self.stray = list(stray)

    def queries(self, depth: int = 2) -> st.SearchStrategy[str]:
        """Whole queries, nested at most so deep."""
        return st.composite(lambda draw: self._query(draw, depth))()

    def _query(self, draw: Draw, depth: int, width: int | None = None, alias: str = "") -> str:
        prefix, tables = "", self.tables
        if depth and draw(st.integers(0, 5)) == 0:
            prefix = f"WITH c1(x1) AS ({self._query(draw, depth - 1, 1)}) "
            tables = {**tables, "c1": ["x1"]}
        width = width or draw(st.integers(1, 3))
        arms = 1 + (depth > 0 and draw(st.integers(0, 4)) == 0)
        text = self._select(draw, depth, width, tables, alias)
        for _ in range(arms - 1):
            text += f" {draw(SET_OPERATORS)} {self._select(draw, depth - 1, width, tables, alias)}"
        if draw(st.booleans()):
            order = draw(st.sampled_from(["", " ASC", " DESC", " DESC NULLS LAST", " COLLATE NOCASE"]))
            text += f" ORDER BY {draw(st.integers(1, width))}{order}"
            if draw(st.booleans()):
                text += draw(st.sampled_from([" LIMIT 2", " LIMIT 1 OFFSET 1", " LIMIT 5", " LIMIT -1"]))
        return prefix + text

    def _select(self, draw: Draw, depth: int, width: int, tables: Tables, alias: str) -> str:
        sources, columns = self._from(draw, depth, tables)
        expression = lambda: self._expression(draw, depth, columns)  # noqa: E731
        grouped = draw(st.integers(0, 3)) == 0
        outputs = [
            self._output(draw, depth, columns, grouped) + (alias or draw(ALIASES)) for _ in range(width)
        ]
        text = f"SELECT {draw(st.sampled_from(['', '', 'DISTINCT ']))}{', '.join(outputs)} FROM {sources}"
        if draw(st.booleans()):
            text += f" WHERE {self._condition(draw, depth, columns)}"
        if grouped:
            text += f" GROUP BY {expression()}"
            if draw(st.booleans()):
                text += f" HAVING {self._aggregate(draw, columns)} {draw(COMPARISONS)} {draw(LITERALS)}"
        return text

    def _output(self, draw: Draw, depth: int, columns: list[str], grouped: bool) -> str:
        return self._aggregate(draw, columns) if grouped else self._expression(draw, depth, columns)

    def _from(self, draw: Draw, depth: int, tables: Tables) -> tuple[str, list[str]]:
        text, columns = self._source(draw, depth, "T1", tables)
        for number in range(2, 2 + draw(st.sampled_from([0, 0, 1, 1, 2]))):
            join = draw(JOINS)
            more, added = self._source(draw, depth, f"T{number}", tables)
            text += f"{join} {more}" if join == "," else f" {join} {more}"
            if join.split()[-1] == "JOIN" and not join.startswith(("NATURAL", "CROSS")):
                text += f" ON {draw(st.sampled_from(columns))} = {draw(st.sampled_from(added))}"
            columns = columns + added
        return text, columns

    def _source(self, draw: Draw, depth: int, alias: str, tables: Tables) -> tuple[str, list[str]]:
        if depth and draw(st.integers(0, 5)) == 0:
            return f"({self._query(draw, depth - 1, 1, ' AS x')}) AS {alias}", [f"{alias}.x"]
        name = draw(st.sampled_from(sorted(tables)))
        bare = draw(st.booleans())
        place = "" if draw(st.integers(0, 3)) == 0 else f"{name if bare else alias}."
        columns = [f"{place}{column}" for column in tables[name]]
        columns += [f"{place}{draw(st.sampled_from(self.stray))}"] if self.stray else []
        if self.stray and draw(st.integers(0, 9)) == 0:
            name = draw(st.sampled_from(self.stray))
        return (name if bare else f"{name} AS {alias}"), columns

    def _aggregate(self, draw: Draw, columns: list[str]) -> str:
        name, _, distinct = draw(AGGREGATES).partition(" ")
        inner = draw(st.sampled_from([*columns, "*"])) if name == "COUNT" and not distinct else None
        return f"{name}({distinct + ' ' if distinct else ''}{inner or draw(st.sampled_from(columns))})"

    def _expression(self, draw: Draw, depth: int, columns: list[str]) -> str:
        inner = lambda: self._expression(draw, depth - 1, columns)  # noqa: E731
        column = lambda: draw(st.sampled_from(columns))  # noqa: E731
        flat = (column, column, lambda: draw(LITERALS), lambda: f"-{column()}")
        nested = (
            lambda: f"{inner()} {draw(OPERATORS)} {inner()}",
            lambda: f"({inner()})",
            lambda: f"{draw(FUNCTIONS)}({inner()})",
            lambda: f"COALESCE({inner()}, {inner()})",
            lambda: f"CAST({inner()} AS {draw(TYPES)})",
            lambda: (
                f"CASE WHEN {self._condition(draw, depth - 1, columns)} THEN {inner()} ELSE {inner()} END"
            ),
            lambda: f"({self._query(draw, depth - 1, 1)})",
            lambda: f"ROW_NUMBER() OVER (PARTITION BY {column()} ORDER BY {column()})",
        )
        return draw(st.sampled_from(flat + nested if depth > 0 else flat))()

    def _condition(self, draw: Draw, depth: int, columns: list[str]) -> str:
        inner = lambda: self._condition(draw, depth - 1, columns)  # noqa: E731
        value = lambda: self._expression(draw, depth - 1, columns)  # noqa: E731
        flat = (
            lambda: f"{value()} {draw(COMPARISONS)} {value()}",
            lambda: f"{draw(st.sampled_from(columns))} {draw(NULL_TESTS)}",
        )
        nested = (
            lambda: f"{inner()} {draw(st.sampled_from(['AND', 'OR']))} {inner()}",
            lambda: f"({inner()})",
            lambda: f"NOT {inner()}",
            lambda: (
                f"{value()} {draw(st.sampled_from(['IN', 'NOT IN']))} ({self._query(draw, depth - 1, 1)})"
            ),
            lambda: f"{value()} {draw(st.sampled_from(['', 'NOT ']))}BETWEEN {value()} AND {value()}",
            lambda: f"EXISTS ({self._query(draw, depth - 1)})",
        )
        return draw(st.sampled_from(flat + nested if depth > 0 else flat))()


def loosely_spaced(sql: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The queries with other white space and comments between some of their words."""
    return st.tuples(sql, st.lists(SPACES, min_size=1, max_size=7)).map(
        lambda pair: "".join(
            part if part != " " else pair[1][i % len(pair[1])]
            for i, part in enumerate(_outside_quotes(pair[0]))
        )
    )


def damaged(sql: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The queries cut, with words put in, left out and doubled."""

    def damage(parts: tuple[str, list[tuple[int, str]], int]) -> str:
        words, changes, end = parts[0].split(" "), parts[1], parts[2]
        for place, word in changes:
            at = place % (len(words) + 1)
            words[at : at + (place % 2)] = [word]
        text = " ".join(words)
        return text[: len(text) - end] if end < len(text) else text

    change = st.tuples(st.integers(0, 60), st.sampled_from(WORDS))
    return st.tuples(sql, st.lists(change, max_size=4), st.sampled_from([0, 0, 0, 1, 3, 10, 40])).map(damage)


def soups() -> st.SearchStrategy[str]:
    """Words of SQL in any order."""
    words = st.lists(st.sampled_from(WORDS), max_size=40)
    return st.tuples(words, st.sampled_from([" ", "", "\n"])).map(
        lambda pair: f"{'SELECT ' if len(pair[0]) % 3 else ''}{pair[1].join(pair[0])}"
    )


def texts(grammar: Grammar) -> st.SearchStrategy[str]:
    """Anything that may stand where SQL is expected."""
    return st.one_of(damaged(grammar.queries()), soups(), st.text(max_size=80))


def _outside_quotes(sql: str) -> list[str]:
    """The text in pieces; a space outside quotes is a piece of its own."""
    pieces, quote, word = [], "", ""
    for character in sql:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        if character == " " and not quote:
            pieces += [word, " "]
            word = ""
        else:
            word += character
    return [*pieces, word]
