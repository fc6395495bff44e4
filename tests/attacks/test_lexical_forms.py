"""What a generator makes: every lexical form around a denied table, a denied column and a forbidden call."""

from collections.abc import Iterator
from typing import Any

import pytest
from lexical_forms import forbidden_calls, forbidden_reads
from targets import attacked_duckdb, attacked_sqlite

from critiql.tools.database.result import Limits

pytestmark = pytest.mark.slow
SECONDS = 5.0
CANARIES = ("CANARY-secret", "CANARY-card", "CANARY-vault")
CALLS = {
    "duckdb": (
        "(SELECT max(content) FROM read_blob('{folder}/canary.txt'))",
        "sleep_ms(1)",
        "write_log('x')",
    ),
    "sqlite": ("load_extension('x')", "readfile('{folder}/canary.txt')", "zeroblob(9)"),
}


@pytest.fixture(scope="module", params=["sqlite", "duckdb"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, make_target: Any) -> Any:
    folder = tmp_path_factory.mktemp("attacked")
    if request.param == "sqlite":
        return make_target("sqlite", attacked_sqlite(folder, "delete"), folder)
    return make_target("duckdb", f"duckdb:///{attacked_duckdb(folder)}", folder)


def _results(target: Any, policy: str, statements: Iterator[str]) -> Iterator[tuple[str, Any]]:
    for sql in statements:
        yield sql, target.databases[policy].run(sql, Limits(seconds=SECONDS))


@pytest.mark.parametrize(("table", "column"), [("secrets", "value"), ("customers", "card")])
def test_no_form_reads_what_is_denied(target: Any, table: str, column: str, note: Any) -> None:
    tried, ran = 0, []
    for sql, result in _results(target, "deny", forbidden_reads(table, column)):
        tried += 1
        assert not any(canary in repr(result) for canary in CANARIES), sql
        if result.ok:
            ran.append(sql)
    note(f"{target.engine}: {tried} forms of reading {table}.{column}, {len(ran)} ran and told nothing")
    assert tried >= 500


def test_no_form_makes_a_forbidden_call(target: Any, note: Any) -> None:
    tried, ran = 0, 0
    for call in CALLS[target.engine]:
        named = call.replace("{folder}", target.substitutions["folder"])
        for sql, result in _results(target, "", forbidden_calls(named)):
            tried += 1
            ran += result.ok
            assert "CANARY-file" not in repr(result), sql
            assert not result.ok or _is_text_only(sql, call), sql
    note(f"{target.engine}: {tried} forms of forbidden calls, {ran} ran and held them as text")


def _is_text_only(sql: str, call: str) -> bool:
    """Whether a frame holds the call where this engine sees a comment or a string, so that it may run."""
    return "/*" in sql or "$" in sql or "--" in sql or "'" in sql.replace(call, "")
