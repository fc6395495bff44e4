"""Steps as named strings: what the text form and the JSON form of a trajectory share.

A step is an action's name and its arguments: SQL text in the trajectory's dialect, with frames by name.
A scalar subquery reads `scalar(df1)`; `x IN (df1)`, `EXISTS(df1)` and `df1 AS d` as a source need no more.
"""

from collections.abc import Collection
from dataclasses import fields

from sqlglot import exp

from critiql.tools.trajectory.language.actions import (
    OPERATORS,
    Aggregate,
    Combine,
    Define,
    Distinct,
    Filter,
    Group,
    Having,
    Join,
    Node,
    Project,
    Qualify,
    Scan,
    Skip,
    Sort,
    Start,
    Step,
    Take,
    Values,
    Window,
)
from critiql.tools.trajectory.language.decompile import print_node
from critiql.tools.trajectory.language.references import references

Argument = str | list[str] | bool
Arguments = dict[str, Argument]

LISTS = {"groupby": "keys", "agg": "items", "select": "items", "distinct": "on", "orderby": "keys"}
"""Actions whose arguments are one list, and the list's name."""
SINGLES = {
    "cte": "definition",
    "scan": "source",
    "values": "rows",
    "join": "source",
    "where": "condition",
    "having": "condition",
    "window": "definition",
    "qualify": "condition",
    "frame": "frame",
    "offset": "count",
    "limit": "count",
    **dict.fromkeys(OPERATORS, "frame"),
}
"""Actions with one main argument, and its name."""
OPTIONS = {"join": ("how", "on", "using"), "cte": ("recursive",)}
"""Named arguments an action may have besides."""
KEYWORDS: dict[type[Node], str] = {exp.Values: "VALUES", exp.Offset: "OFFSET", exp.Limit: "LIMIT"}
"""Clauses whose text begins with a word that the action's name already says."""
ACTIONS = frozenset(LISTS) | frozenset(SINGLES)

_NAMES: dict[type[Step], str] = {
    Define: "cte",
    Scan: "scan",
    Values: "values",
    Join: "join",
    Filter: "where",
    Group: "groupby",
    Having: "having",
    Window: "window",
    Qualify: "qualify",
    Aggregate: "agg",
    Project: "select",
    Distinct: "distinct",
    Start: "frame",
    Sort: "orderby",
    Skip: "offset",
    Take: "limit",
}


def action_name(step: Step) -> str:
    """The word for a step in text and JSON, such as `where` or `union_all`."""
    return step.operator if isinstance(step, Combine) else _NAMES[type(step)]


def arguments(step: Step, dialect: str, names: Collection[str]) -> Arguments:
    """A step's arguments by name, as SQL text; `names` are the trajectory's frames."""
    found: Arguments = {}
    for field in fields(step):
        value = getattr(step, field.name)
        if isinstance(value, exp.Group):
            found["keys"] = _group_keys(value, dialect, names)
        elif isinstance(value, exp.Expr):
            found[field.name] = _main_text(field.name, value, dialect, names)
        elif isinstance(value, tuple) and value:
            found[field.name] = [node_text(node, dialect, names) for node in value]
        elif isinstance(value, (str, bool)) and value and field.name != "operator":
            found[field.name] = value
    return found


def _main_text(name: str, node: Node, dialect: str, names: Collection[str]) -> str:
    if name == "source":
        return source_text(node, dialect, names)
    if name == "frame":
        return print_node(node, dialect)
    if isinstance(node, exp.Window):
        # a named window prints as `w AS (..)` only inside the clause that names it
        clause = exp.Select(expressions=[exp.Literal.number(1)], windows=[node.copy()])
        return _without(print_node(clause, dialect), "SELECT 1 WINDOW")
    text = node_text(node, dialect, names)
    return _without(text, KEYWORDS[type(node)]) if type(node) in KEYWORDS else text


def node_text(node: Node, dialect: str, names: Collection[str]) -> str:
    """A tree as SQL text, scalar subqueries as `scalar(df1)`."""
    if not references(node, names):
        return print_node(node, dialect)
    node = node.copy()
    for leaf in references(node, names):
        holder = leaf.parent
        if isinstance(holder, exp.Subquery) and _is_scalar(holder):
            spelling = f"scalar({leaf.name})"
        elif isinstance(holder, exp.Array):
            # sqlglot prints an array of anything but a query in brackets
            spelling = f"ARRAY({leaf.name})"
        else:
            continue
        if holder is node:
            return spelling
        holder.replace(exp.Var(this=spelling))
    return print_node(node, dialect)


def source_text(node: Node, dialect: str, names: Collection[str]) -> str:
    """A source as text, a frame without the parentheses SQL needs: `df1 AS d`."""
    plain = isinstance(node, exp.Subquery) and type(node.this) is exp.Var and node.this.name in names
    if plain and not _extras(node, {"this", "alias"}):
        alias = node.args.get("alias")
        return f"{node.this.name} AS {print_node(alias, dialect)}" if alias else node.this.name
    return node_text(node, dialect, names)


def _group_keys(clause: exp.Group, dialect: str, names: Collection[str]) -> list[str]:
    if _extras(clause, {"expressions"}):
        return [_without(node_text(clause, dialect, names), "GROUP BY")]
    return [node_text(key, dialect, names) for key in clause.expressions]


def _is_scalar(holder: exp.Subquery) -> bool:
    return not _extras(holder, {"this"}) and not isinstance(holder.parent, (exp.In, exp.From, exp.Join))


def _extras(node: Node, known: set[str]) -> bool:
    return any(value and key not in known for key, value in node.args.items())


def _without(text: str, keyword: str) -> str:
    return text.strip().removeprefix(keyword).strip()
