"""Every lexical form of SQLite and DuckDB around something forbidden, made by a loop.

A form is a statement with `{0}` where a forbidden relation or expression stands. What a form hides, an
engine may see, or the other way round; either way nothing forbidden may come back.
"""

from collections.abc import Iterator
from itertools import product

FRAMES = (
    "SELECT {0}",
    "SELECT 1, {0}",
    "SELECT ({0})",
    "SELECT 1 /* it's */, {0} /* */",
    "SELECT 1 -- x\n, {0}",
    "SELECT 1 --x\r, {0}",
    "SELECT '--', {0}",
    "SELECT '/*', {0}, '*/'",
    "SELECT 'it''s', {0}, 'x'",
    'SELECT 1 AS "a""b", {0}',
    "SELECT 1 AS \u20ac$x$, {0}, 2 AS \u20ac$x$",
    "SELECT 1 AS x$$, {0}, 2 AS y$$",
    "SELECT $$ a $$, {0}, $$ b $$",
    "SELECT $t$ $$ $t$, {0}, $t$ $$ $t$",
    "SELECT E'\\'', {0}, '\\'",
    "SELECT '\\', {0}, '\\'",
    "SELECT /* /* */ {0} /* */ */",
    "SELECT /* /* */ 1, {0}",
    "SELECT\u00a01,\u00a0{0}",
    "SELECT\u20031,\u3000{0}",
    "SELECT 1 AS [a'b], {0}, 2 AS [a'b]",
    "SELECT 1 AS `a'b`, {0}, 2 AS `a'b`",
    "SELECT U&'x', {0}",
    "SELECT 0x1, 1e1, 1_000, {0}",
    "SELECT CASE WHEN true THEN {0} END",
    "SELECT coalesce(NULL, {0})",
    "SELECT * FROM (SELECT {0} AS x) AS y",
    "WITH x AS (SELECT {0} AS y) SELECT * FROM x",
    "VALUES ({0})",
    "SELECT max({0}) OVER ()",
    "SELECT 1 WHERE {0} IS NOT NULL",
    "SELECT id FROM orders ORDER BY {0}",
    "SELECT id FROM orders LIMIT length({0})",
    "SELECT count(*) FROM orders GROUP BY {0}",
    "EXPLAIN SELECT {0}",
    "SELECT 1 UNION ALL SELECT {0}",
)
"""Statements by what may confuse a reader before or after the forbidden part."""
SPELLINGS = ("{0}", '"{0}"', "main.{0}", 'main."{0}"', '"main".{0}', "{0} AS orders", "/**/{0}/**/", "({0})")
"""Ways to name a relation in FROM."""


def forbidden_reads(table: str, column: str) -> Iterator[str]:
    """Statements that read a column of a table in every form and spelling."""
    for frame, spelling in product(FRAMES, SPELLINGS):
        for name in (table, table.upper()):
            yield frame.format(f"(SELECT max({column}) FROM {spelling.format(name)})")


def forbidden_calls(call: str) -> Iterator[str]:
    """Statements that hold a call in every form."""
    return (frame.format(call) for frame in FRAMES)
