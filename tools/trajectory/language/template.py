"""Argument strings -> steps: sqlglot reads each string in the place it has in SQL, so nothing is lost."""

import re
from collections.abc import Collection
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from critiql.tools.sql.dialect import dialect_of
from critiql.tools.sql.parse import mark_quotes
from critiql.tools.trajectory.language.actions import (
    OPERATORS,
    Combine,
    Define,
    Distinct,
    Filter,
    Group,
    Having,
    Join,
    Node,
    Problem,
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
from critiql.tools.trajectory.language.compile import conjuncts, projection
from critiql.tools.trajectory.language.decompile import COMMA, how_parts
from critiql.tools.trajectory.language.fields import ACTIONS, LISTS, OPTIONS, SINGLES, Arguments
from critiql.tools.trajectory.language.marks import mark_frames, unmark_frames
from critiql.tools.trajectory.language.references import detach

CONDITIONS: dict[str, type[Filter | Having | Qualify]] = {
    "where": Filter,
    "having": Having,
    "qualify": Qualify,
}
CLAUSES = {
    "cte": ("WITH {} SELECT 1", "with_"),
    "scan": ("SELECT 1 FROM {}", "from_"),
    "values": ("SELECT 1 FROM (VALUES {}) AS v", "from_"),
    "where": ("SELECT 1 WHERE {}", "where"),
    "groupby": ("SELECT 1 GROUP BY {}", "group"),
    "having": ("SELECT 1 HAVING {}", "having"),
    "window": ("SELECT 1 WINDOW {}", "windows"),
    "qualify": ("SELECT 1 QUALIFY {}", "qualify"),
    "agg": ("SELECT {}", "expressions"),
    "select": ("SELECT {}", "expressions"),
    "distinct": ("SELECT DISTINCT ON ({}) 1", "distinct"),
    "orderby": ("SELECT 1 ORDER BY {}", "order"),
    "offset": ("SELECT 1 LIMIT 1 OFFSET {}", "offset"),
    "limit": ("SELECT 1 LIMIT {}", "limit"),
}
"""Per action the statement its argument is read in, and the clause it must end up in."""
SCAFFOLD = {"offset": {"limit"}}
UNCONDITIONAL = {COMMA, "cross", "natural", "positional"}
"""Words in a join's `how` that make a condition unnecessary."""


class _ReadError(Exception):
    """Carries what is wrong with an argument up to `read_step`, which returns it as data."""


def read_step(
    action: str, given: Arguments, dialect: str, names: Collection[str]
) -> tuple[Step, ...] | Problem:
    """Make the step that an action's name and argument strings stand for.

    A condition of several AND conjuncts becomes several steps.

    Args:
        action: the action's name.
        given: its arguments, as `fields.arguments` writes them.
        dialect: the sqlglot dialect of the strings.
        names: the frames that stand before this one.
    """
    try:
        _check_names(action, given)
        return tuple(_read(action, given, dialect, names))
    except _ReadError as error:
        return Problem(str(error), action=action)


def _check_names(action: str, given: Arguments) -> None:
    if action not in ACTIONS:
        raise _ReadError(f"there is no action {action}; actions are {', '.join(sorted(ACTIONS))}")
    main = LISTS.get(action) or SINGLES[action]
    allowed = (main, *OPTIONS.get(action, ()))
    for name in given:
        if name not in allowed:
            raise _ReadError(f"{action} has no argument {name}; it takes {', '.join(allowed)}")
    if action != "distinct" and not given.get(main):
        raise _ReadError(f"{action} needs its argument, the {main}")


def _read(action: str, given: Arguments, dialect: str, names: Collection[str]) -> list[Step]:
    if action in OPERATORS:
        return [Combine(action, _frame(given["frame"], names))]
    if action == "frame":
        return [Start(_frame(given["frame"], names))]
    if action == "join":
        return [_join(given, dialect, names)]
    if action == "distinct" and not given.get("on"):
        return [Distinct()]
    main = given[LISTS.get(action) or SINGLES[action]]
    text = ", ".join(map(str, main)) if isinstance(main, list) else str(main)
    clause = _clause(action, text, dialect, names)
    if action in CONDITIONS:
        return [CONDITIONS[action](detach(part)) for part in conjuncts(clause.this)]
    if action == "cte":
        return [
            Define(cast(exp.CTE, detach(cte)), given.get("recursive") is True) for cte in clause.expressions
        ]
    return [_other(action, clause)]


def _other(action: str, clause: Node) -> Step:
    match action:
        case "scan":
            return Scan(detach(clause.this))
        case "values":
            rows = cast(exp.Values, detach(clause.this))
            rows.set("alias", None)
            return Values(rows)
        case "groupby":
            return Group(cast(exp.Group, detach(clause)))
        case "window":
            return Window(detach(clause))
        case "agg" | "select":
            return projection(tuple(detach(item) for item in clause.expressions))
        case "distinct":
            return Distinct(tuple(detach(item) for item in clause.args["on"].expressions))
        case "orderby":
            return Sort(tuple(detach(key) for key in clause.expressions))
        case "offset":
            return Skip(cast(exp.Offset, detach(clause)))
        case _:
            return Take(detach(clause))


def _clause(action: str, text: str, dialect: str, names: Collection[str]) -> Node:
    """The clause the text makes; an error when it spills over into another clause."""
    statement, key = CLAUSES[action]
    if action == "limit" and text.upper().startswith("FETCH "):
        statement = "SELECT 1 {}"
    select = _parse(statement, mark_frames(text, dialect, names), dialect, names)
    extras = SCAFFOLD.get(action, set()) | {"expressions", key}
    for other, value in select.args.items():
        if value and other not in extras:
            clause = other.strip("_").replace("with", "cte")
            raise _ReadError(f"{text!r} goes on into a {clause}; give that an action of its own")
    if key == "expressions":
        return select
    value = select.args.get(key)
    if not value:
        raise _ReadError(f"{text!r} is no argument for it")
    if isinstance(value, list):
        if len(value) > 1:
            raise _ReadError("it takes one definition; write one action for each")
        return cast(Node, value[0])
    return cast(Node, value)


def _parse(statement: str, marked: str, dialect: str, names: Collection[str]) -> exp.Select:
    sql = statement.format(marked)
    try:
        tree = sqlglot.parse_one(sql, dialect=dialect_of(dialect))
    except SqlglotError as error:
        raise _ReadError(f"{_reason(error)} in {marked!r}") from error
    except RecursionError as error:
        raise _ReadError("the argument nests too deeply to be read") from error
    mark_quotes(tree, sql)
    unmarked = unmark_frames(tree, names)
    if not isinstance(unmarked, exp.Select):
        raise _ReadError(f"{marked!r} ends the statement it stands in")
    return unmarked


def _reason(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    text = str(details[0]["description"]) if details else str(error).splitlines()[0]
    text = re.sub(
        r"Required keyword: '\w+' missing for <class '[\w.]*\.(\w+)'>", r"\1 lacks an operand", text
    )
    return re.sub(r"\s+", " ", text).rstrip(". ") or "it cannot be read"


def _join(given: Arguments, dialect: str, names: Collection[str]) -> Join:
    how = _how(given)
    source = _clause("scan", str(given["source"]), dialect, names).this
    on = given.get("on")
    using = given.get("using") or ()
    columns = using if isinstance(using, (list, tuple)) else [str(using)]
    return Join(
        detach(source),
        how,
        detach(_clause("where", str(on), dialect, names).this) if on else None,
        tuple(_column_name(str(column), dialect) for column in columns),
    )


def _how(given: Arguments) -> str:
    how = str(given.get("how") or "").strip().lower()
    try:
        how_parts(how)
    except ValueError as error:
        message = f"how = {how} is no kind of join: {error} is unknown; try left, inner or cross"
        raise _ReadError(message) from error
    if not (given.get("on") or given.get("using") or UNCONDITIONAL & set(how.split())):
        raise _ReadError("say on = condition or using = (column), or how = cross for all pairs")
    return how


def _column_name(text: str, dialect: str) -> Node:
    """A bare column name, as the SELECT list of a query would have it."""
    items = _parse("SELECT {}", text, dialect, ()).expressions
    column = items[0] if len(items) == 1 else None
    if not isinstance(column, exp.Column) or column.table or not isinstance(column.this, exp.Identifier):
        raise _ReadError(f"using takes column names, not {text!r}")
    return detach(column.this)


def _frame(value: object, names: Collection[str]) -> Node:
    text = str(value).strip()
    depth = 0
    while text.startswith("(") and text.endswith(")"):
        text, depth = text[1:-1].strip(), depth + 1
    if text not in names:
        known = ", ".join(sorted(names)) or "none yet"
        raise _ReadError(f"there is no frame {text} above this line; frames so far: {known}")
    node: Node = exp.Var(this=text)
    for _ in range(depth):
        node = exp.Subquery(this=node)
    return node
