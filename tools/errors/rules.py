"""The static detector: reads a text, then runs every rule over it (ErrorLLM, algorithm 1, stage 1)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from critiql.tools.database.result import Result
from critiql.tools.errors.lookup import Values
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.tools.errors.types.error_type import Finding, Rule
from critiql.tools.errors.types.unreadable import unreadable
from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.sql.resolve import resolve

RULES: tuple[Rule, ...] = tuple(rule for error in ERROR_TYPES for rule in error.rules)
"""Every rule of every type, in the order of the types. Callers may run their own tuple."""


def read(
    sql: str,
    schema: Schema,
    *,
    question: str = "",
    execution: Result | None = None,
    values: Values | None = None,
) -> Query | Finding:
    """Parse and resolve a text once, for all rules; a text that is not one query gives a finding instead.

    Args:
        sql: any text.
        schema: what its names are resolved against; its dialect is the one the text is read in.
        question: the question it is to answer; empty silences the rules that compare with the wording.
        execution: what running it gave.
        values: LookUp; None silences the rules that compare with stored values.
    """
    parsed = parse(sql, schema.dialect)
    if isinstance(parsed, ParseFailure):
        return unreadable(sql, parsed, schema.dialect)
    resolution = resolve(parsed.tree, schema)
    return Query(parsed, resolution, schema, question, execution, values)


def detect(query: Query | Finding, rules: Sequence[Rule] = RULES) -> list[Finding]:
    """Everything the rules are sure of, each error once, with its span in the text."""
    if isinstance(query, Finding):
        return [query]
    found: dict[tuple[str, int], Finding] = {}
    for rule in rules:
        for finding in rule(query):
            key = (finding.type, id(finding.node) if finding.node is not None else hash(finding.explanation))
            if key not in found:
                span = query.alignment.span(finding.node) if finding.node is not None else None
                found[key] = replace(finding, rule=finding.rule or rule.__name__, span=span)
    return list(found.values())


def union(found: Sequence[Finding], said: Sequence[Finding]) -> list[Finding]:
    """Both stages together; a type that a rule found is not said twice (algorithm 1)."""
    proven = {one.type for one in found}
    return [*found, *(one for one in said if one.type not in proven)]


def types_of(findings: Iterable[Finding]) -> list[str]:
    """Keys of the error types found, each once, in order of appearance."""
    return list(dict.fromkeys(finding.type for finding in findings))
