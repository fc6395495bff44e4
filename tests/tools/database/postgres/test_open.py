"""PostgreSQL behind the interface, on a real server: who is let in, what schema and results say."""

import json
from pathlib import Path
from typing import Any

import pytest
from running import Server
from targets import attacked_server

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.open import get_database, open_database
from critiql.tools.database.postgres.errors import classify
from critiql.tools.database.postgres.open import open_postgres
from critiql.tools.database.result import Limits, Rows
from critiql.tools.database.server_url import read_url
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import ForeignKey
from critiql.tools.schema.mschema import mschema

FIXTURES = Path(__file__).parents[3] / "fixtures" / "database"
NUMBERS = [json.loads(line) for line in (FIXTURES / "postgres_numbers.jsonl").read_text("utf-8").splitlines()]
SUPERUSER_REFUSED = (
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT E'x'\n'\\'', pg_read_file('PG_VERSION'), 'x'",
    "SELECT 1 AS €$x$, pg_read_file('PG_VERSION'), 2 AS €$x$",
    "SELECT $€$ ' $€$, pg_ls_dir('.'), $€$ ' $€$",
    "SELECT U&\"pg!005fread_file\" UESCAPE '!' ('PG_VERSION')",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_file_settings",
    "SELECT rolpassword FROM pg_authid",
    "SELECT lo_import('PG_VERSION')",
    "EXPLAIN ANALYZE SELECT pg_read_file('PG_VERSION')",
    "DELETE FROM orders",
    "COPY orders TO PROGRAM 'id'",
)


def test_a_url_is_shown_without_its_secret() -> None:
    found = read_url(
        "postgresql+psycopg://me:p%40ss@host:5433/shop?critiql_allow_superuser=1&sslmode=require"
    )
    assert found.shown == "postgresql://me@host:5433/shop"
    assert (found.password, found.port, found.flag("critiql_allow_superuser")) == ("p@ss", 5433, True)


def test_an_unreadable_url_is_not_repeated() -> None:
    with pytest.raises(DatabaseError) as raised:
        read_url("postgresql://me:secret@host:port/shop")
    assert "secret" not in str(raised.value)


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(DatabaseError, match="colour"):
        open_postgres("postgresql://me@127.0.0.1:1/shop?colour=red")


@pytest.mark.parametrize(
    ("state", "message", "expected"),
    [
        ("42P01", 'relation "nope" does not exist', ("no_such_table", "nope")),
        ("42703", 'column "nope" does not exist', ("no_such_column", "nope")),
        ("42703", "column c.nope does not exist", ("no_such_column", "c.nope")),
        ("42883", "function foo(integer) does not exist", ("no_such_function", "foo")),
        ("42883", "operator does not exist: text = integer", ("type", None)),
        ("42601", "cannot insert multiple commands into a prepared statement", ("several_statements", None)),
        ("57014", "canceling statement due to statement timeout", ("timeout", None)),
        ("53400", "temporary file size exceeds temp_file_limit", ("memory", None)),
        (None, "something else", ("other", None)),
    ],
)
def test_errors_have_kinds(state: str | None, message: str, expected: tuple[str, str | None]) -> None:
    assert classify(state, message) == expected


@pytest.fixture(scope="module")
def base() -> Server:
    return attacked_server("postgres")


@pytest.mark.server
def test_the_schema_has_keys_comments_types_counts_and_rows(base: Server) -> None:
    database = open_database(base.url("attacked"))
    try:
        schema = database.schema()
        customers, lines = schema.table("customers"), schema.table("Order Lines")
        assert customers is not None
        assert lines is not None
        assert (customers.comment, customers.row_count, customers.primary_key) == (
            "people who bought something",
            2,
            ("id",),
        )
        assert lines.primary_key == ("order_id", "line")
        assert lines.foreign_keys == (ForeignKey("Order Lines", ("order_id",), "orders", ("id",)),)
        assert schema.table("measures_2026") is None  # a partition is not a table of its own
        assert schema.table("vault") is None
        assert schema.samples["orders"][0] == (1, 1, 10.5, "2026-01-02")
        assert 'CREATE TABLE "Order Lines"' in ddl(schema, sample_rows=2)
        assert "where they live" in mschema(schema)
    finally:
        database.close()


@pytest.mark.server
def test_values_arrive_as_cells(base: Server) -> None:
    database = open_database(base.url("attacked"))
    try:
        result = database.run(
            "SELECT sum(amount), max(placed), NULL, true, ARRAY[1, 2], '{\"a\": 1}'::jsonb,"
            " 'x'::bytea, 2::numeric"
            " FROM orders"
        )
        assert isinstance(result, Rows)
        assert result.rows == ((20.75, "infinity", None, True, "[1, 2]", '{"a": 1}', b"x", 2),)
        assert result.types[:2] == ("numeric", "date")
        cut = database.run("SELECT n, repeat('x', 5000) FROM numbers", Limits(rows=10, cell_bytes=7))
        assert isinstance(cut, Rows)
        assert (cut.truncated, len(cut.rows), cut.rows[0][1]) == (True, 10, "xxxxxxx")
        small = database.run("SELECT n, repeat('x', 5000) FROM numbers", Limits(total_bytes=20_000))
        assert isinstance(small, Rows)
        assert small.truncated
        assert len(small.rows) == 3
    finally:
        database.close()


@pytest.mark.server
@pytest.mark.parametrize(
    ("user", "database", "said"),
    [
        ("reader:wrong", "attacked", "the password is wrong"),
        ("reader:reader-pass", "nope", "no such database"),
        ("reader", "attacked", "wants a password"),
        ("files:files-pass", "attacked", "pg_read_server_files"),
        ("postgres:admin-pass", "attacked", "superuser"),
    ],
)
def test_who_is_not_let_in(base: Server, user: str, database: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as raised:
        open_database(base.url(database, user))
    assert "-pass" not in str(raised.value)
    assert "wrong@" not in str(raised.value)


@pytest.mark.server
def test_a_superuser_is_let_in_when_told_so_and_still_reads_no_file(base: Server) -> None:
    database = open_database(base.url("attacked", "postgres:admin-pass") + "?critiql_allow_superuser=1")
    try:
        assert database.run("SELECT count(*) FROM secrets").ok
        for sql in SUPERUSER_REFUSED:
            result = database.run(sql)
            assert not result.ok
            assert result.kind == "denied"
    finally:
        database.close()


@pytest.mark.server
def test_a_server_that_is_down_is_said_to_be() -> None:
    with pytest.raises(DatabaseError, match="nothing answers"):
        open_database("postgresql://reader:x@127.0.0.1:1/shop")


@pytest.mark.server
def test_a_connection_lost_while_idle_is_made_again_unseen(base: Server) -> None:
    database = open_database(base.url("attacked"))
    try:
        assert database.run("SELECT 1").ok
        for again in (lambda: database.run("SELECT 1").ok, lambda: bool(database.structure()[0].tables)):
            base.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'", "attacked"
            )
            assert again()
    finally:
        database.close()


@pytest.mark.server
@pytest.mark.parametrize("case", NUMBERS, ids=lambda case: case["sql"])
def test_numbers_are_numbers_or_exact_text(case: dict[str, Any], base: Server) -> None:
    database = get_database(base.url("attacked"))
    result = database.run(f"SELECT {case['sql']}")
    assert isinstance(result, Rows)
    assert result.rows[0][0] == case["cell"]
    assert type(result.rows[0][0]) is type(case["cell"])


@pytest.mark.server
def test_the_schema_is_read_anew_when_it_changed(base: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("critiql.tools.database.database.VERSION_SECONDS", 0.0)
    base.sql("CREATE TABLE later (a int); GRANT SELECT ON later TO reader", "attacked")
    database = open_database(base.url("attacked"))
    try:
        first = database.schema()
        assert database.schema() is first
        base.sql("ALTER TABLE later RENAME a TO b", "attacked")
        changed = database.schema().table("later")
        assert changed is not None
        assert list(changed.by_name) == ["b"]
        base.sql("DROP TABLE later", "attacked")
        assert database.schema().table("later") is None
    finally:
        database.close()
        base.sql("DROP TABLE IF EXISTS later", "attacked")


def test_without_the_grammar_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("critiql.tools.database.postgres.open.find_spec", lambda name: None)
    with pytest.raises(DatabaseError, match=r"pglast.*pip install 'critiql\[postgres\]'"):
        open_database("postgresql://reader:x@127.0.0.1:1/shop")
