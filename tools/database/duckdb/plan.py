"""What a DuckDB statement reads, as the engine bound it: tables and columns of its plan before optimising.

Views, macros, stars, whole rows, NATURAL, COLUMNS() and aliases are all resolved there. The binder puts a
column into a scan exactly when something refers to it. Standard library only.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

SCAN = "seq_scan"
_PLAN_WORDS = """
LOGICAL_AGGREGATE_AND_GROUP_BY LOGICAL_ANY_JOIN LOGICAL_ASOF_JOIN LOGICAL_CHUNK_GET LOGICAL_COMPARISON_JOIN
LOGICAL_CROSS_PRODUCT LOGICAL_CTE_REF LOGICAL_DELIM_GET LOGICAL_DELIM_JOIN LOGICAL_DEPENDENT_JOIN
LOGICAL_DISTINCT LOGICAL_DUMMY_SCAN LOGICAL_EMPTY_RESULT LOGICAL_EXCEPT LOGICAL_EXPRESSION_GET LOGICAL_FILTER
LOGICAL_GET LOGICAL_INTERSECT LOGICAL_JOIN LOGICAL_LIMIT LOGICAL_MATERIALIZED_CTE LOGICAL_ORDER_BY
LOGICAL_PIVOT LOGICAL_POSITIONAL_JOIN LOGICAL_PROJECTION LOGICAL_RECURSIVE_CTE LOGICAL_SAMPLE LOGICAL_TOP_N
LOGICAL_UNION LOGICAL_UNNEST LOGICAL_WINDOW
"""
PLAN_PARTS = frozenset(_PLAN_WORDS.split())
"""Steps of a plan that are known to read nothing but what their inputs and scans give."""


class UnknownStepError(ValueError):
    """A step of a plan that is not listed, or a scan that is not told in full."""


class Scan(NamedTuple):
    """One table as a plan reads it; names case-folded."""

    schema: str
    table: str
    columns: frozenset[str]


class Plan(NamedTuple):
    """All that a plan reads."""

    scans: tuple[Scan, ...]
    functions: frozenset[str]
    """Table functions."""


def read_plan(reply: dict[str, Any]) -> Plan:
    """What a plan reads.

    Args:
        reply: That of `json_serialize_plan(..., optimize := false)`, decoded.

    Raises:
        UnknownStepError: it cannot be told.
    """
    gets = list(_gets(reply["plans"]))
    names = [get["qname"]["path"][-1].casefold() for get in gets]
    return Plan(
        tuple(_scan(get) for get, name in zip(gets, names, strict=True) if name == SCAN),
        frozenset(name for name in names if name != SCAN),
    )


def _gets(plans: Any) -> Iterator[dict[str, Any]]:
    waiting = [plans]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            kind = value.get("type")
            if isinstance(kind, str) and kind.startswith("LOGICAL_"):
                if kind not in PLAN_PARTS:
                    raise UnknownStepError(kind)
                if kind == "LOGICAL_GET":
                    yield value
            waiting += value.values()


def _scan(get: dict[str, Any]) -> Scan:
    try:
        data, names = get["function_data"], get["names"]
        indexes = [column["index"] for column in get["column_indexes"]]
        read = frozenset(names[index].casefold() for index in indexes if index < len(names))
        return Scan(data["schema"].casefold(), data["table"].casefold(), read)
    except (KeyError, TypeError) as error:
        raise UnknownStepError(str(error)) from error
