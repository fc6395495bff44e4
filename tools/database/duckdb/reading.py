"""A DuckDB statement as the engine reads it: the tree of `json_serialize_sql`, node by node.

Every node must be of a kind that is listed here. What a node names (relations, functions, columns) is noted;
a relation that a common table expression in scope gives is none of the database. Standard library only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_EXPRESSION_WORDS = """
ARRAY_EXTRACT ARRAY_SLICE CASE_EXPR COLLATE COLUMN_REF COMPARE_BETWEEN COMPARE_DISTINCT_FROM COMPARE_EQUAL
COMPARE_GREATERTHAN COMPARE_GREATERTHANOREQUALTO COMPARE_IN COMPARE_LESSTHAN COMPARE_LESSTHANOREQUALTO
COMPARE_NOTEQUAL COMPARE_NOT_BETWEEN COMPARE_NOT_DISTINCT_FROM COMPARE_NOT_IN CONJUNCTION_AND CONJUNCTION_OR
FUNCTION GROUPING_FUNCTION LAMBDA LAMBDA_REF OPERATOR_CAST OPERATOR_COALESCE OPERATOR_IS_NOT_NULL
OPERATOR_IS_NULL OPERATOR_NOT OPERATOR_NULLIF OPERATOR_TRY OPERATOR_UNPACK ARRAY_CONSTRUCTOR ARROW
POSITIONAL_REFERENCE STAR STRUCT_EXTRACT SUBQUERY TYPE VALUE_CONSTANT VALUE_PARAMETER WINDOW_AGGREGATE
WINDOW_CUME_DIST WINDOW_FILL WINDOW_FIRST_VALUE WINDOW_LAG WINDOW_LAST_VALUE WINDOW_LEAD WINDOW_NTH_VALUE
WINDOW_NTILE WINDOW_PERCENT_RANK WINDOW_RANK WINDOW_RANK_DENSE WINDOW_ROW_NUMBER
"""
EXPRESSIONS = frozenset(_EXPRESSION_WORDS.split())
_PART_WORDS = """
ASCENDING BASE_TABLE CTE_NODE DESCENDING DISTINCT_MODIFIER EMPTY EXPRESSION_LIST JOIN LIMIT_MODIFIER
LIMIT_PERCENT_MODIFIER ORDER_DEFAULT ORDER_MODIFIER PIVOT RECURSIVE_CTE_NODE SELECT_NODE SET_OPERATION_NODE
SHOW_REF SUBQUERY TABLE_FUNCTION
"""
PARTS = frozenset(_PART_WORDS.split())
"""Kinds of query nodes, relations and modifiers."""
WRITES = "_QUERY_NODE"
"""How the kinds of INSERT, UPDATE, DELETE and MERGE under WITH end."""
Scope = frozenset[str]


class UnknownPartError(ValueError):
    """A kind of node that is not listed; the text says which."""


@dataclass(frozen=True)
class Relation:
    """A table or view as it is named in FROM."""

    path: tuple[str, ...]
    """Catalogue, schema and name as far as they are written, case-folded."""
    alias: str
    """What expressions call it: its alias, else its name; case-folded."""
    renames: bool
    """Whether its columns get new names by position."""

    @property
    def name(self) -> str:
        """The last part."""
        return self.path[-1]


@dataclass
class Reading:
    """What one query names."""

    relations: list[Relation] = field(default_factory=list)
    named: set[tuple[str, ...]] = field(default_factory=set)
    """The path of everything that FROM names, whether a common table expression gives it or not."""
    functions: set[str] = field(default_factory=set)
    table_functions: set[str] = field(default_factory=set)
    shows: set[str] = field(default_factory=set)
    """Kinds of DESCRIBE, SHOW and SUMMARIZE."""
    columns: set[tuple[str, ...]] = field(default_factory=set)
    """References to columns by the parts of their names."""
    pivoted: list[str] = field(default_factory=list)
    """The single constant of each `ON ... IN (constant)` of a PIVOT."""
    has_parameter: bool = False
    writes: bool = False
    takes_all: bool = False
    """Whether a star, a position, NATURAL, PIVOT or SUMMARIZE may read a column without its name."""


def read_tree(tree: dict[str, Any]) -> Reading:
    """What the one statement of a tree names.

    Args:
        tree: The reply of `json_serialize_sql`, decoded.

    Raises:
        UnknownPartError: a node is of a kind that is not listed.
    """
    found = Reading()
    waiting: list[tuple[Any, Scope]] = [(tree["statements"][0]["node"], frozenset())]
    while waiting:
        value, scope = waiting.pop()
        if isinstance(value, list):
            waiting += [(inner, scope) for inner in value]
        elif isinstance(value, dict):
            try:
                _note(value, scope, found)
                waiting += _inside(value, scope)
            except (KeyError, TypeError, IndexError, AttributeError) as error:
                raise UnknownPartError(value.get("type")) from error
    return found


def _note(node: dict[str, Any], scope: Scope, found: Reading) -> None:
    kind = node.get("type")
    if not isinstance(kind, str):
        return
    if kind not in (EXPRESSIONS if "class" in node else PARTS):
        if kind.endswith(WRITES):
            found.writes = True
            return
        raise UnknownPartError(kind)
    note = _NOTES.get(kind)
    if note is not None:
        note(node, scope, found)
    elif kind.startswith("WINDOW_"):
        found.functions.add(node["function_name"].casefold())
    elif kind in ("STAR", "POSITIONAL_REFERENCE"):
        found.takes_all = True


def _note_table(node: dict[str, Any], scope: Scope, found: Reading) -> None:
    path = tuple(part.casefold() for part in node["qualified_name"]["path"])
    found.named.add(path)
    if len(path) == 1 and path[0] in scope:
        return
    alias = node["alias"].casefold() or path[-1]
    found.relations.append(Relation(path, alias, bool(node["column_name_alias"])))


def _note_function(node: dict[str, Any], _: Scope, found: Reading) -> None:
    found.functions.add(node["function_name"].casefold())


def _note_column(node: dict[str, Any], _: Scope, found: Reading) -> None:
    found.columns.add(tuple(part.casefold() for part in node["column_names"]))


def _note_parameter(_: dict[str, Any], __: Scope, found: Reading) -> None:
    found.has_parameter = True


def _note_table_function(node: dict[str, Any], _: Scope, found: Reading) -> None:
    found.table_functions.add(node["function"]["function_name"].casefold())


def _note_join(node: dict[str, Any], _: Scope, found: Reading) -> None:
    found.takes_all |= node["ref_type"] == "NATURAL"
    found.columns |= {(column.casefold(),) for column in node["using_columns"]}


def _note_show(node: dict[str, Any], scope: Scope, found: Reading) -> None:
    found.shows.add(node["show_type"])
    found.takes_all = True
    if node["show_type"] in ("DESCRIBE", "SHOW") and node.get("query") is None:
        _note_table({"alias": "", "column_name_alias": [], **node}, scope, found)


def _note_pivot(node: dict[str, Any], _: Scope, found: Reading) -> None:
    found.takes_all = True
    for pivot in node["pivots"]:
        entries = pivot["entries"]
        constant = entries[0]["star_expr"] if len(entries) == 1 else None
        if constant and constant["class"] == "CONSTANT":
            found.pivoted.append(constant["literal"]["text"])


_NOTES = {
    "BASE_TABLE": _note_table,
    "FUNCTION": _note_function,
    "COLUMN_REF": _note_column,
    "VALUE_PARAMETER": _note_parameter,
    "TABLE_FUNCTION": _note_table_function,
    "JOIN": _note_join,
    "SHOW_REF": _note_show,
    "PIVOT": _note_pivot,
}


def _inside(node: dict[str, Any], scope: Scope) -> Iterator[tuple[Any, Scope]]:
    """The node's parts, each with the names that common table expressions give there."""
    if node.get("class") == "CONSTANT":
        return
    if node.get("type") == "RECURSIVE_CTE_NODE":
        scope |= {node["cte_name"].casefold()}
    for entry in (node.get("cte_map") or {}).get("map", ()):
        yield entry["value"], scope
        scope |= {entry["key"].casefold()}
    if node.get("type") == "TABLE_FUNCTION":
        yield node["function"]["arguments"], scope
    for key, value in node.items():
        is_done = key == "cte_map" or (key == "function" and node.get("type") == "TABLE_FUNCTION")
        if not is_done and isinstance(value, dict | list):
            yield value, scope
