"""Changed gold queries of known kind, to hold two scorers against each other; some stay right."""

from collections.abc import Callable, Iterator
from random import Random

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

Mutation = Callable[[exp.Select, Random], "exp.Expr | None"]
"""Changes the copy it is given, or makes another query; None where the kind does not apply."""

_COMPARISONS: tuple[type[exp.Binary], ...] = (exp.GT, exp.LT, exp.GTE, exp.LTE, exp.EQ, exp.NEQ)
_AGGREGATES: tuple[type[exp.AggFunc], ...] = (exp.Max, exp.Min, exp.Sum, exp.Avg, exp.Count)


def mutated(sql: str, kind: str, draw: Random) -> str | None:
    """A query changed in one way, or None when that does not apply to it."""
    if kind in TEXTS:
        changed = TEXTS[kind](sql)
        return changed if changed != sql else None
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
    except SqlglotError:
        return None
    result = MUTATIONS[kind](tree, draw) if isinstance(tree, exp.Select) else None
    return None if result is None else result.sql(dialect="sqlite")


def kinds() -> Iterator[str]:
    """The names of all kinds."""
    yield from MUTATIONS
    yield from TEXTS


def _add_distinct(tree: exp.Select, _: Random) -> exp.Expr | None:
    return None if tree.args.get("distinct") else tree.distinct()


def _count_distinct(tree: exp.Select, _: Random) -> exp.Expr | None:
    for node in tree.find_all(exp.Count):
        if isinstance(node.this, exp.Column):
            node.set("this", exp.Distinct(expressions=[node.this.copy()]))
            return tree
    return None


def _without(part: str) -> Mutation:
    def drop(tree: exp.Select, _: Random) -> exp.Expr | None:
        if not tree.args.get(part):
            return None
        tree.set(part, None)
        return tree

    return drop


def _add_order(tree: exp.Select, _: Random) -> exp.Expr | None:
    return None if tree.args.get("order") else tree.order_by("1 DESC")


def _flip_order(tree: exp.Select, _: Random) -> exp.Expr | None:
    order = tree.args.get("order")
    for part in order.expressions if order else ():
        part.set("desc", not part.args.get("desc"))
    return tree if order else None


def _shuffle_columns(tree: exp.Select, draw: Random) -> exp.Expr | None:
    if len(tree.expressions) < 2:
        return None
    return tree.select(*draw.sample(tree.expressions, len(tree.expressions)), append=False)


def _extra_column(tree: exp.Select, _: Random) -> exp.Expr | None:
    return tree.select("1")


def _double_column(tree: exp.Select, _: Random) -> exp.Expr | None:
    return tree.select(tree.expressions[0].copy())


def _drop_column(tree: exp.Select, _: Random) -> exp.Expr | None:
    return tree.select(*tree.expressions[:-1], append=False) if len(tree.expressions) > 1 else None


def _limit(tree: exp.Select, draw: Random) -> exp.Expr | None:
    return tree.limit(draw.choice((1, 2, 3)))


def _first_column(pattern: str) -> Mutation:
    def rewrite(tree: exp.Select, _: Random) -> exp.Expr | None:
        first, *rest = tree.expressions
        if first.find(exp.Star) and not first.find(exp.Count):
            return None
        changed = pattern.format(first.unalias().sql(dialect="sqlite"))
        return tree.select(sqlglot.parse_one(changed, dialect="sqlite"), *rest, append=False)

    return rewrite


def _all_real(tree: exp.Select, _: Random) -> exp.Expr | None:
    if any(column.find(exp.Star) and not column.find(exp.Count) for column in tree.expressions):
        return None
    return tree.select(*(exp.Mul(this=c.unalias(), expression="1.0") for c in tree.expressions), append=False)


def _comparison(tree: exp.Select, draw: Random) -> exp.Expr | None:
    found = [node for node in tree.find_all(*_COMPARISONS) if not node.find_ancestor(exp.Join)]
    if not found:
        return None
    node = draw.choice(found)
    other = draw.choice([kind for kind in _COMPARISONS if not isinstance(node, kind)])
    node.replace(other(this=node.this.copy(), expression=node.expression.copy()))
    return tree


def _value(tree: exp.Select, draw: Random) -> exp.Expr | None:
    found = [node for node in tree.find_all(exp.Literal) if not node.find_ancestor(exp.Limit)]
    if not found:
        return None
    node = draw.choice(found)
    node.replace(
        exp.Literal.string(f"{node.this}x") if node.is_string else exp.Literal.number(f"1{node.this}")
    )
    return tree


def _text_case(tree: exp.Select, draw: Random) -> exp.Expr | None:
    found = [node for node in tree.find_all(exp.Literal) if node.is_string]
    if not found:
        return None
    node = draw.choice(found)
    node.replace(exp.Literal.string(node.this.swapcase()))
    return tree


def _around(pattern: str) -> Mutation:
    def wrap(tree: exp.Select, _: Random) -> exp.Expr | None:
        return sqlglot.parse_one(pattern.format(tree.sql(dialect="sqlite")), dialect="sqlite")

    return wrap


def _left_join(tree: exp.Select, _: Random) -> exp.Expr | None:
    join = tree.find(exp.Join)
    if join:
        join.set("side", "LEFT")
    return tree if join else None


def _join_condition(tree: exp.Select, _: Random) -> exp.Expr | None:
    condition = next((join.args["on"] for join in tree.find_all(exp.Join) if join.args.get("on")), None)
    if not isinstance(condition, exp.EQ):
        return None
    condition.replace(exp.LT(this=condition.this.copy(), expression=condition.expression.copy()))
    return tree


def _connective(tree: exp.Select, _: Random) -> exp.Expr | None:
    node = tree.find(exp.And, exp.Or)
    if node is None:
        return None
    other = exp.Or if isinstance(node, exp.And) else exp.And
    node.replace(other(this=node.this.copy(), expression=node.expression.copy()))
    return tree


def _aggregate(tree: exp.Select, draw: Random) -> exp.Expr | None:
    found = [node for node in tree.find_all(*_AGGREGATES) if isinstance(node.this, exp.Column)]
    if not found:
        return None
    node = draw.choice(found)
    other = draw.choice([kind for kind in _AGGREGATES if not isinstance(node, kind)])
    node.replace(other(this=node.this.copy()))
    return tree


def _unknown_column(tree: exp.Select, _: Random) -> exp.Expr | None:
    column = tree.find(exp.Column)
    if column:
        column.replace(exp.column("no_such_column"))
    return tree if column else None


MUTATIONS: dict[str, Mutation] = {
    "distinct added": _add_distinct,
    "distinct dropped": _without("distinct"),
    "count of distinct": _count_distinct,
    "order added": _add_order,
    "order dropped": _without("order"),
    "order flipped": _flip_order,
    "columns shuffled": _shuffle_columns,
    "column added": _extra_column,
    "column doubled": _double_column,
    "column dropped": _drop_column,
    "limit": _limit,
    "limit dropped": _without("limit"),
    "where dropped": _without("where"),
    "group dropped": _without("group"),
    "having dropped": _without("having"),
    "first column as real": _first_column("CAST({} AS REAL)"),
    "first column as integer": _first_column("CAST({} AS INTEGER)"),
    "first column as text": _first_column("CAST({} AS TEXT)"),
    "first column null": _first_column("NULL"),
    "all columns times 1.0": _all_real,
    "comparison": _comparison,
    "value": _value,
    "case of a text": _text_case,
    "rows doubled": _around("SELECT * FROM ({0}) UNION ALL SELECT * FROM ({0})"),
    "rows made unique": _around("SELECT * FROM ({0}) UNION SELECT * FROM ({0})"),
    "wrapped": _around("SELECT * FROM ({0})"),
    "left join": _left_join,
    "join condition": _join_condition,
    "and for or": _connective,
    "aggregate": _aggregate,
    "unknown column": _unknown_column,
}
"""Kinds that change the tree."""

TEXTS: dict[str, Callable[[str], str]] = {
    "lower case": str.lower,
    "upper case": str.upper,
    "semicolon": lambda sql: sql.rstrip(" ;") + " ;",
    "second statement": lambda sql: sql.rstrip(" ;") + "; SELECT 1",
    "comment": lambda sql: "/* one */ " + sql + " -- two",
    "gap in operators": lambda sql: sql.replace(">=", "> =").replace("<=", "< =").replace("!=", "! ="),
    "other quotes": lambda sql: sql.translate(str.maketrans("\"'", "'\"")),
    "double blanks": lambda sql: sql.replace(" ", "  "),
    "cut off": lambda sql: sql[: len(sql) * 2 // 3],
    "prose before": lambda sql: "The query is: " + sql,
    "every select distinct": lambda sql: sql.replace("SELECT ", "SELECT DISTINCT "),
    "deletes": lambda sql: "DELETE FROM sqlite_master -- " + sql,
    "explained": lambda sql: "EXPLAIN " + sql,
}
"""Kinds that change the text."""
