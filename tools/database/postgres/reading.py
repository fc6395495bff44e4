"""A statement read by PostgreSQL's own grammar: one SELECT of known parts, and every name in it.

The grammar is libpg_query's (pglast 8: PostgreSQL 18). Only node kinds that are listed pass, so that what
a later grammar adds is refused until somebody has looked at it. Runs in the worker; imports pglast and
nothing of ours but words.
"""

import json
import re
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pglast import parser

from critiql.tools.database.guard.single_select import SELECT_ONLY, Refusal

Node = dict[str, Any]
"""A node of the tree as libpg_query prints it: fields in small letters, the kind of a node as a capital
key."""

DEEPEST = 10_000
"""Python's recursion limit in the worker: the tree of `a + b + c ...` is as deep as it is long."""
sys.setrecursionlimit(DEEPEST)

_NODE_WORDS = """
A_ArrayExpr A_Const A_Expr A_Indices A_Indirection A_Star BitString BoolExpr Boolean BooleanTest CaseExpr
CaseWhen CoalesceExpr CollateClause ColumnDef ColumnRef CommonTableExpr Float FuncCall GroupingFunc
GroupingSet Integer JoinExpr JsonArgument JsonArrayAgg JsonArrayConstructor JsonArrayQueryConstructor
JsonFuncExpr JsonIsPredicate JsonKeyValue JsonObjectAgg JsonObjectConstructor JsonParseExpr JsonScalarExpr
JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec JsonValueExpr List MinMaxExpr NamedArgExpr
NullTest RangeFunction RangeSubselect RangeTableFunc RangeTableFuncCol RangeTableSample RangeVar ResTarget
RowExpr SQLValueFunction SelectStmt SortBy String SubLink TypeCast TypeName WindowDef XmlExpr XmlSerialize
"""
NODES = frozenset(_NODE_WORDS.split())
_PART_WORDS = """
alias arg boolval bsval constructor context_item cycle_clause format fval ival join_using_alias larg on_empty
on_error output over pathspec rarg returning search_clause sval typeName value withClause
"""
PARTS = frozenset(_PART_WORDS.split())
"""Fields that hold a part of a node without naming its kind."""
PLAIN_PARTS = {"intoClause": f"{SELECT_ONLY}; INTO is not part of a query"}
REFUSED_NODES = {
    "LockingClause": ("denied", f"{SELECT_ONLY}; a query may not lock rows"),
    "ParamRef": ("syntax", "a query has no parameters such as $1: write the value"),
    "InsertStmt": ("denied", SELECT_ONLY),
    "UpdateStmt": ("denied", SELECT_ONLY),
    "DeleteStmt": ("denied", SELECT_ONLY),
    "MergeStmt": ("denied", SELECT_ONLY),
}
NODE_FUNCTIONS = {
    "JsonArrayAgg": ("json_arrayagg",),
    "JsonArrayConstructor": ("json_array",),
    "JsonArrayQueryConstructor": ("json_array",),
    "JsonFuncExpr": ("json_exists", "json_query", "json_value"),
    "JsonObjectAgg": ("json_objectagg",),
    "JsonObjectConstructor": ("json_object",),
    "JsonParseExpr": ("json",),
    "JsonScalarExpr": ("json_scalar",),
    "JsonSerializeExpr": ("json_serialize",),
    "JsonTable": ("json_table",),
}
"""Syntax of a newer PostgreSQL that an older server reads as a call of somebody's function of that name."""
REMEMBERED_CHARACTERS = 10_000
BETWEEN = ("<", "<=", ">", ">=")
"""Operators that BETWEEN stands for."""
SAMPLING = frozenset({"bernoulli", "system"})
"""Methods of TABLESAMPLE that are the server's own."""
_EXPLAIN_WORDS = "analyze buffers costs format generic_plan memory serialize summary timing verbose wal"
EXPLAIN_OPTIONS = frozenset(_EXPLAIN_WORDS.split())
LONG_WORD = re.compile(rb'[\w$\x80-\xff]{64}|"[^"]{64}')
"""Longer than a name can be: where it is cut depends on the server's encoding."""
QUERY_STARTS = ("SELECT", "WITH", "VALUES", "TABLE", "ASCII_40")
"""Tokens that a query begins with, as libpg_query names them."""


@dataclass
class Names:
    """What a statement names, as the grammar gives it: small letters where unquoted, escapes undone."""

    functions: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    """Names after a dot: a column, a field, or a function that is called with what stands before the dot."""
    operators: set[str] = field(default_factory=lambda: {"="})
    """Joins with USING and CASE compare by `=` without writing it."""
    types: set[str] = field(default_factory=set)
    relations: set[tuple[str, str]] = field(default_factory=set)
    """Schema or an empty text, and name; names of common table expressions too."""


@dataclass(frozen=True)
class Statement:
    """One SELECT, or the EXPLAIN of one."""

    text: str
    """What is run."""
    query: str
    """The SELECT's own text."""
    select: Node
    """Its tree."""
    names: Names


def read_statement(sql: str) -> Statement | Refusal:
    """The one SELECT that the text is, or why it is none that may run; the last ones are remembered."""
    return _read_short(sql) if len(sql) < REMEMBERED_CHARACTERS else _read(sql)


@lru_cache(64)
def _read_short(sql: str) -> Statement | Refusal:
    return _read(sql)


def _read(sql: str) -> Statement | Refusal:
    if "\0" in sql:
        return Refusal("denied", "the statement cannot be read safely: it holds a NUL character")
    try:
        data = sql.encode()
        found = json.loads(parser.parse_sql_json(sql), strict=False)["stmts"]
    except UnicodeEncodeError:
        return Refusal("syntax", "the statement is not valid Unicode text")
    except parser.ParseError as error:
        message = str(error.args[0])
        is_deep = message.startswith(("stack depth limit exceeded", "memory exhausted"))
        return Refusal("too_large" if is_deep else "syntax", message)
    except RecursionError:
        return Refusal("too_large", "the statement is nested too deeply")
    except ValueError:
        return Refusal("denied", "the statement cannot be read safely: its tree cannot be read back")
    if len(found) != 1:
        several = Refusal("several_statements", "only one statement may run at a time")
        return several if found else Refusal("empty", "there is no statement to run")
    if LONG_WORD.search(data) and (name := _long_name(sql)):
        return Refusal("denied", f"the name {name[:20]}... is longer than 63 bytes: shorten it")
    return _one(_own_text(data, found[0]), found[0]["stmt"])


def _own_text(data: bytes, statement: Node) -> str:
    """The statement without a semicolon and what follows it."""
    start = statement.get("stmt_location", 0)
    length = statement.get("stmt_len", 0)
    return data[start : start + length if length else None].decode()


def _long_name(sql: str) -> str | None:
    for token in parser.scan(sql):
        text = sql[token.start : token.end + 1]
        if token.name in ("IDENT", "UIDENT") and len(text.encode()) > 63:
            return text
    return None


def _one(text: str, statement: Node) -> Statement | Refusal:
    kind, body = next(iter(statement.items()))
    if kind == "SelectStmt":
        names = collect_names(statement)
        return names if isinstance(names, Refusal) else Statement(text, text, body, names)
    if kind == "ExplainStmt":
        return _explained(text, body)
    return Refusal("denied", SELECT_ONLY)


def _explained(text: str, body: Node) -> Statement | Refusal:
    for option in body.get("options", ()):
        name = option["DefElem"]["defname"].lower()
        if name not in EXPLAIN_OPTIONS:
            return Refusal("denied", f"EXPLAIN with {name.upper()} may not run here", name)
    select = body["query"].get("SelectStmt")
    if select is None:
        return Refusal("denied", SELECT_ONLY)
    names = collect_names(body["query"])
    if isinstance(names, Refusal):
        return names
    query = _explained_query(text, select)
    if query is None:
        return Refusal("denied", "the query after EXPLAIN cannot be told apart: write EXPLAIN before SELECT")
    return Statement(text, query, select, names)


def _explained_query(text: str, select: Node) -> str | None:
    """The text behind EXPLAIN and its options: the first that reads as the same query alone."""
    wanted = _without_places(select)
    for token in parser.scan(text)[1:]:
        if token.name not in QUERY_STARTS:
            continue
        candidate = text[token.start :]
        try:
            found = json.loads(parser.parse_sql_json(candidate))["stmts"]
        except (parser.ParseError, ValueError):
            continue
        if len(found) == 1 and _without_places(found[0]["stmt"].get("SelectStmt")) == wanted:
            return candidate
    return None


def _without_places(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_places(value) for key, value in node.items() if not key.endswith("location")}
    return [_without_places(item) for item in node] if isinstance(node, list) else node


def collect_names(tree: Node) -> Names | Refusal:
    """Every name in the tree, or a refusal when a part of it is not of a kind that is listed."""
    names, waiting = Names(), [tree]
    while waiting:
        for key, value in waiting.pop().items():
            refusal = _take_node(names, key, value) if key[0].isupper() else _take_field(names, key, value)
            if refusal is not None:
                return refusal
            if type(value) is dict:
                waiting.append(value)
            elif type(value) is list:
                waiting += [item for item in value if type(item) is dict]
    return names


def _take_node(names: Names, kind: str, value: Node) -> Refusal | None:
    if kind not in NODES:
        return _refused_node(kind)
    if (take := TAKERS.get(kind)) is not None:
        take(names, value)
    elif kind in NODE_FUNCTIONS:
        names.functions.update(NODE_FUNCTIONS[kind])
    return None


def _take_field(names: Names, name: str, value: Any) -> Refusal | None:
    """A field; one that holds a part without naming its kind must be known."""
    if type(value) is dict and name not in PARTS and value and next(iter(value))[0].islower():
        return Refusal("denied", PLAIN_PARTS.get(name, f"{name} is not part of a query here"))
    if name == "typeName":
        _take_type(names, value)
    return None


def _refused_node(kind: str) -> Refusal:
    why, message = REFUSED_NODES.get(kind, ("denied", f"{kind} is not a part of a query that may run here"))
    return Refusal(why, message)


def words(parts: list[Node]) -> list[str]:
    """The texts of a list of String nodes; a star is `*`."""
    return [part["String"].get("sval", "") if "String" in part else "*" for part in parts]


def _take_function(names: Names, node: Node) -> None:
    names.functions.add(words(node["funcname"])[-1])


def _take_column(names: Names, node: Node) -> None:
    fields = words(node["fields"])
    if len(fields) > 1 and fields[-1] != "*":
        names.attributes.add(fields[-1])


def _take_fields(names: Names, node: Node) -> None:
    fields = (part["String"].get("sval", "") for part in node["indirection"] if "String" in part)
    names.attributes.update(fields)


def _take_operator(names: Names, node: Node) -> None:
    name = words(node["name"])[-1]
    names.operators.update(BETWEEN if name.endswith(("BETWEEN", "SYMMETRIC")) else (name,))


def _take_sort(names: Names, node: Node) -> None:
    if "useOp" in node:
        names.operators.add(words(node["useOp"])[-1])


def _take_link(names: Names, node: Node) -> None:
    if "operName" in node:
        names.operators.add(words(node["operName"])[-1])


def _take_type(names: Names, node: Node) -> None:
    names.types.add(words(node.get("names", []))[-1] if node.get("names") else "")
    if node.get("pct_type"):
        names.types.add("%type")


def _take_relation(names: Names, node: Node) -> None:
    names.relations.add((node.get("schemaname", ""), node["relname"]))


def _take_sample(names: Names, node: Node) -> None:
    names.functions.update({words(node["method"])[-1]} - SAMPLING)


TAKERS = {
    "FuncCall": _take_function,
    "ColumnRef": _take_column,
    "A_Indirection": _take_fields,
    "A_Expr": _take_operator,
    "SortBy": _take_sort,
    "SubLink": _take_link,
    "TypeName": _take_type,
    "RangeVar": _take_relation,
    "RangeTableSample": _take_sample,
}
