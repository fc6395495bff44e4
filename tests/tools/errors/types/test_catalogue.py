"""The list of error types holds together, and a sixteenth would fit."""

from importlib import import_module

from critiql.tools.errors.types.catalogue import BY_BUG, BY_KEY, ERROR_TYPES, RESERVED, in_priority

SUBTYPES = 30
"""NL2SQL-Bugs has 31 sub-types; `Other` is the one that means none of ours."""


def test_numbers_are_rows_of_the_head() -> None:
    assert [error.number for error in ERROR_TYPES] == list(range(1, len(ERROR_TYPES) + 1))
    assert len(ERROR_TYPES) <= RESERVED


def test_every_type_is_found_in_the_module_of_its_name() -> None:
    for error in ERROR_TYPES:
        module = import_module(f"critiql.tools.errors.types.{error.key}")
        assert getattr(module, error.key.upper()) is error
        for function in (*error.rules, *error.operators):
            assert function.__module__ == module.__name__


def test_every_sub_type_of_nl2sql_bugs_has_one_type() -> None:
    assert len(BY_BUG) == sum(len(error.bugs) for error in ERROR_TYPES) == SUBTYPES
    assert BY_BUG["Table-Related Errors", "Join Condition Mismatch"].key == "join_error"


def test_names_of_rules_and_operators_are_unique() -> None:
    for kind in ("rules", "operators"):
        names = [function.__name__ for error in ERROR_TYPES for function in getattr(error, kind)]
        assert len(names) == len(set(names))


def test_structural_errors_are_repaired_first() -> None:
    order = [error.key for error in in_priority(BY_KEY)]
    assert order[:6] == [
        "unreadable", "table_mismatch", "table_redundancy", "table_missing", "join_error", "subquery_error",
    ]  # fmt: skip
    assert order[-2:] == ["value_error", "modifier_error"]


def test_every_type_says_what_a_prompt_needs() -> None:
    for error in ERROR_TYPES:
        assert error.examples
        assert len(error.keywords) >= 5
        assert "nodes" in error.slots
        assert error.token == f"[ERR_{error.number:02d}]"
