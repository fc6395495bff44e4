"""Where in a query an error stands that a model named, and what only a model can say of it.

ErrorLLM's LocLLM: numbered tree lines and open slots go in, JSON comes out. What it names is checked: lines
must be of the tree, a wrong column must stand on a column's line, and names must be in the schema.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlglot import exp

from critiql import prompts
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import ErrorType, Finding
from critiql.tools.schema.quoting import escape
from critiql.tools.sql.tree_lines import TreeLine, tree_lines, tree_text

BY_CODE = (
    *("nodes", "clause", "columns", "column", "data_type", "current_column", "current_value", "condition"),
    *("candidates", "function", "operator", "modifier", "subquery", "current_table"),
)
"""Slots that follow from the place itself."""

NAMES = {
    "attribute_mismatch": ("right_column",),
    "attribute_missing": ("missing", "tables"),
    "attribute_redundancy": ("redundant",),
    "table_mismatch": ("right_table",),
    "table_missing": ("missing",),
    "join_error": ("tables",),
}
"""Slots that hold names of the schema."""

MUST_HOLD: dict[str, type[exp.Expr]] = {
    "attribute_mismatch": exp.Column,
    "value_error": exp.Literal,
    "table_mismatch": exp.Table,
    "table_redundancy": exp.Table,
}
"""What the place of an error must hold."""

LINES = 3
"""Lines of one error at most."""
LONGEST = 80
"""Characters of a slot."""
NAMES_AT_MOST = 400
"""A schema with more names is not spelt out in the grammar; its names are checked afterwards all the same."""


class Located(NamedTuple):
    """What a model said of some errors."""

    findings: list[Finding]
    """Those that have a place or slots now."""
    refused: list[str]
    """Why some of what it said does not count."""


def open_slots(error: ErrorType) -> tuple[str, ...]:
    """The slots of a type's guideline that only a model can fill."""
    return tuple(slot for slot in error.slots if slot not in BY_CODE)


def localiser_request(question: str, query: Query, keys: Sequence[str]) -> str:
    """The request about some error types of a query."""
    lines = tree_lines(query.tree, query.parsed.dialect)
    errors = [BY_KEY[key] for key in keys]
    told = [f"{error.key}: {error.description} Fill: {', '.join(open_slots(error))}" for error in errors]
    example = {errors[0].key: {"lines": [len(lines)], **dict.fromkeys(open_slots(errors[0]), "...")}}
    return prompts.load("localiser").render(
        question=question,
        sql=query.parsed.text,
        tree=tree_text(lines),
        errors="\n".join(told),
        example=json.dumps(example),
    )


def place_grammar(query: Query, keys: Sequence[str]) -> str:
    """GBNF of an answer: every error once, its lines, its slots; names only of the schema."""
    count = len(tree_lines(query.tree, query.parsed.dialect))
    names = _schema_names(query)
    closed = 0 < len(names) <= NAMES_AT_MOST
    rules = [f'root ::= "{{" {_joined([f"e{at}" for at in range(len(keys))])} "}}"']
    for at, key in enumerate(keys):
        named = NAMES.get(key, ()) if closed else ()
        slots = [
            f"{_quoted(json.dumps(slot) + ': ')} {'names' if slot in named else 'text'}"
            for slot in open_slots(BY_KEY[key])
        ]
        rules.append(
            f"e{at} ::= {_quoted(json.dumps(key) + ': {')} {_joined(['lines', *slots])} {_quoted('}')}"
        )
    rules.append(f'lines ::= "\\"lines\\": [" (line (", " line){{0,{LINES - 1}}})? "]"')
    rules.append(f"line ::= {' | '.join(_quoted(str(number)) for number in range(1, count + 1))}")
    rules.append(rf'text ::= "\"" [^"\\\x00-\x1F]{{0,{LONGEST}}} "\""')
    if closed:
        rules.append(r'names ::= "\"" (name (", " name){0,3})? "\""')
        rules.append(f"name ::= {' | '.join(_quoted(json.dumps(name)[1:-1]) for name in names)}")
    return "\n".join(rules) + "\n"


def read_places(text: str, said: Iterable[Finding], query: Query) -> Located:
    """The findings with the places and slots that a model's answer gives them, as far as they hold."""
    answer = _object(text)
    if answer is None:
        return Located([], ["the answer is no JSON object"])
    lines = tree_lines(query.tree, query.parsed.dialect)
    found: list[Finding] = []
    refused: list[str] = []
    for finding in said:
        told = answer.get(finding.type)
        if not isinstance(told, dict):
            refused.append(f"{finding.type}: nothing was said of it")
            continue
        slots, wrong = _slots(told, BY_KEY[finding.type], query)
        numbers = tuple(dict.fromkeys(n for n in _list(told.get("lines")) if isinstance(n, int)))[:LINES]
        placed = at_lines(replace(finding, slots=slots, lines=numbers), lines, query)
        refused += [f"{finding.type}: {reason}" for reason in wrong]
        if placed.node is None and numbers:
            refused.append(f"{finding.type}: it cannot stand on lines {', '.join(map(str, numbers))}")
        if placed.node is not None or slots:
            found.append(placed)
    return Located(found, refused)


def at_lines(finding: Finding, lines: Sequence[TreeLine], query: Query) -> Finding:
    """The finding at the smallest part of the query around its lines; without a place where none fits."""
    by_number = {line.number: line.node for line in lines}
    nodes = [by_number[number] for number in finding.lines if number in by_number]
    needed = MUST_HOLD.get(finding.type, exp.Expr)
    if not nodes or len(nodes) < len(finding.lines) or not any(node.find(needed) for node in nodes):
        return replace(finding, lines=(), node=None, span=None)
    node = enclosing(nodes)
    return replace(finding, node=node, span=query.alignment.span(node))


def enclosing(nodes: Sequence[exp.Expr]) -> exp.Expr:
    """The lowest node that all of these are or stand under."""
    ways = [_way_up(node) for node in nodes]
    shared = set.intersection(*({id(node) for node in way} for way in ways))
    return next(node for node in ways[0] if id(node) in shared)


def located_findings(findings: Iterable[Mapping[str, Any]], query: Query) -> list[Finding]:
    """Findings of a model as they stand in a candidate, each back at its place in the query's tree."""
    lines = tree_lines(query.tree, query.parsed.dialect)
    return [
        at_lines(
            Finding(
                one["type"],
                one["source"],
                BY_KEY[one["type"]].description,
                probability=one["probability"],
                slots=one.get("slots") or {},
                lines=tuple(one.get("lines") or ()),
            ),
            lines,
            query,
        )
        for one in findings
    ]


def _way_up(node: exp.Expr) -> list[exp.Expr]:
    way = [node]
    while way[-1].parent is not None:
        way.append(way[-1].parent)
    return way


def _slots(told: Mapping[str, Any], error: ErrorType, query: Query) -> tuple[dict[str, str], list[str]]:
    """The slots that hold, and why others do not."""
    kept: dict[str, str] = {}
    wrong: list[str] = []
    for slot in open_slots(error):
        value = told.get(slot)
        if not isinstance(value, str) or not value.strip(" ."):
            continue
        text = value.strip()[:LONGEST]
        unknown = _unknown(text, query) if slot in NAMES.get(error.key, ()) else []
        if unknown:
            wrong.append(f"{', '.join(unknown)} is not in the schema")
        else:
            kept[slot] = escape(text)
    return kept, wrong


def _unknown(text: str, query: Query) -> list[str]:
    """The names of a list that the schema does not hold."""
    known = {name.casefold() for name in _schema_names(query)}
    known |= {column.name.casefold() for table in query.schema.tables for column in table.columns}
    return [name for part in text.split(",") if (name := part.strip()) and name.casefold() not in known]


def _schema_names(query: Query) -> list[str]:
    """Every table, and every column as table.column."""
    return [
        name
        for table in query.schema.tables
        for name in (table.name, *(f"{table.name}.{column.name}" for column in table.columns))
    ]


def _object(text: str) -> dict[str, Any] | None:
    """The first JSON object of a text."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_joined: Callable[[Sequence[str]], str] = ' ", " '.join


def _quoted(text: str) -> str:
    """A GBNF literal: the escapes of JSON are those of GBNF."""
    return json.dumps(text, ensure_ascii=False)
