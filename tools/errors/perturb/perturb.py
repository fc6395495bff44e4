"""Queries with a known error: every operator of every type, checked by execution (ErrorLLM, section 3.4)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from sqlglot import exp

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits, Rows
from critiql.tools.errors.lookup import Values
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.tools.errors.types.error_type import ErrorType, Operator
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.schema.model import Schema
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.parse import Parsed, ParseFailure, parse
from critiql.tools.sql.resolve import resolve
from critiql.tools.sql.scope import Resolution

LIMITS = Limits(seconds=2.0, rows=2000)
"""What one execution may cost; a result that is cut counts as not verified."""


@dataclass(frozen=True)
class Perturbation:
    """A query with errors that are known."""

    sql: str
    """Canonical text."""
    original: str
    """Canonical text of the query it was made from."""
    types: tuple[str, ...]
    """Keys of the error types injected; none for an identity sample."""
    operators: tuple[str, ...]
    nodes: tuple[str, ...]
    """SQL of the wrong nodes, in the order of the types."""
    notes: tuple[str, ...]


def identity(parsed: Parsed) -> Perturbation:
    """The query itself, in the same canonical text, as a sample without an error."""
    text = canonical(parsed.tree, parsed.dialect)
    return Perturbation(text, text, (), (), (), ())


def perturb(
    parsed: Parsed,
    schema: Schema,
    resolution: Resolution,
    rng: Random,
    values: Values | None = None,
    *,
    types: Sequence[ErrorType] = ERROR_TYPES,
    each: int = 1,
) -> list[Perturbation]:
    """Inject one error at a time; the same seed gives the same list.

    Args:
        parsed: a right query.
        schema: its database's schema.
        resolution: of `parsed.tree` against that schema.
        rng: where the choices come from.
        values: LookUp; without it operators that need stored values give nothing.
        types: error types to inject.
        each: most perturbations for each operator.

    Returns:
        Perturbations that parse and differ from the query in canonical text, each text once. Whether they
        also answer differently, `verify` says.
    """
    bench = Bench(Query(parsed, resolution, schema, values=values), rng)
    original = canonical(parsed.tree, parsed.dialect)
    found: dict[str, Perturbation] = {}
    for error in types:
        for operator in error.operators:
            for made in islice(_made(bench, error, operator, original, set(found)), each):
                found[made.sql] = made
    return list(found.values())


def _made(
    bench: Bench, error: ErrorType, operator: Operator, original: str, known: set[str]
) -> Iterator[Perturbation]:
    for edit in operator(bench):
        sql = canonical(edit.tree, bench.query.parsed.dialect)
        if sql != original and sql not in known and reads_well(edit, sql, bench.query):
            node = canonical(edit.node, bench.query.parsed.dialect)
            yield Perturbation(sql, original, (error.key,), (operator.__name__,), (node,), (edit.note,))


def reads_well(edit: Edit, sql: str, query: Query) -> bool:
    """True when the text parses back to the edited tree and every name in it resolves."""
    parsed = parse(sql, query.parsed.dialect)
    if isinstance(parsed, ParseFailure) or canonical(parsed.tree, parsed.dialect) != sql:
        return False
    return resolve(parsed.tree, query.schema).complete and isinstance(edit.tree, exp.Query)


def compound(
    first: Perturbation, schema: Schema, rng: Random, values: Values | None = None
) -> Perturbation | None:
    """A second error of another, compatible type on top of one; None when no operator applies.

    Compatible are types that do not undo each other: both still show in the final text.
    """
    parsed = parse(first.sql, schema.dialect)
    if isinstance(parsed, ParseFailure):
        return None
    others = [error for error in ERROR_TYPES if _compatible(first.types, error.key)]
    rng.shuffle(others)
    for error in others:
        resolution = resolve(parsed.tree, schema)
        for second in perturb(parsed, schema, resolution, rng, values, types=(error,)):
            if first.nodes[0] in second.sql and second.sql != first.original:
                return Perturbation(
                    second.sql,
                    first.original,
                    first.types + second.types,
                    first.operators + second.operators,
                    first.nodes + second.nodes,
                    first.notes + second.notes,
                )
    return None


_CLASHING = (
    {"attribute_redundancy", "attribute_missing"},
    {"table_redundancy", "table_missing"},
    {"table_mismatch", "table_missing"},
    {"condition_missing", "condition_error"},
)
"""Pairs of which one may undo or swallow the other."""


def _compatible(types: Iterable[str], other: str) -> bool:
    return all(key != other and {key, other} not in _CLASHING for key in types)


def verify(database: Database, gold: str, perturbed: str, limits: Limits = LIMITS) -> bool:
    """True when both run and their answers differ: as bags of rows, or as lists when the gold query orders.

    On a database without rows nothing can be verified.
    """
    right, wrong = database.run(gold, limits), database.run(perturbed, limits)
    if not isinstance(right, Rows) or not isinstance(wrong, Rows) or right.truncated or wrong.truncated:
        return False
    ordered = " ORDER BY " in gold.upper().rsplit(")", 1)[-1]
    return not _same(right, wrong, ordered=ordered)


def _same(right: Rows, wrong: Rows, *, ordered: bool) -> bool:
    if len(right.rows) != len(wrong.rows):
        return False
    if right.rows and len(right.rows[0]) != len(wrong.rows[0]):
        return False
    if ordered:
        return right.rows == wrong.rows
    return sorted(map(repr, right.rows)) == sorted(map(repr, wrong.rows))
