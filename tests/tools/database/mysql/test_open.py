"""MySQL and MariaDB behind the interface, on a real MariaDB: who is let in, what the schema says."""

from pathlib import Path

import pytest
from running import Server
from targets import attacked_server

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.mysql.errors import classify
from critiql.tools.database.mysql.grants import excess_privileges
from critiql.tools.database.mysql.open import open_mysql
from critiql.tools.database.open import get_database, open_database
from critiql.tools.database.result import Limits, Rows
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import ForeignKey


@pytest.mark.parametrize(
    ("grant", "excess"),
    [
        ("GRANT USAGE ON *.* TO `r`@`%`", []),
        ("GRANT SELECT, SHOW VIEW, EXECUTE ON `shop`.* TO `r`@`%`", []),
        ("GRANT SELECT (id, name) ON `shop`.`t` TO `r`@`%`", []),
        ("GRANT SELECT, INSERT ON `shop`.* TO `r`@`%`", ["INSERT on `shop`.*"]),
        ("GRANT UPDATE (name, id) ON `shop`.`t` TO `r`@`%`", ["UPDATE on `shop`.`t`"]),
        ("GRANT FILE ON *.* TO `r`@`%`", ["FILE on *.*"]),
        ("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", ["ALL PRIVILEGES on *.*"]),
        ("GRANT BACKUP_ADMIN ON *.* TO `r`@`%`", ["BACKUP_ADMIN on *.*"]),
        ("GRANT `readers` TO `r`@`%`", []),
    ],
)
def test_grants_beyond_reading(grant: str, excess: list[str]) -> None:
    assert excess_privileges([grant]) == excess


@pytest.mark.parametrize(
    ("number", "message", "expected"),
    [
        (1146, "Table 'shop.nope' doesn't exist", ("no_such_table", "nope")),
        (1054, "Unknown column 'nope' in 'SELECT'", ("no_such_column", "nope")),
        (1052, "Column 'id' in SELECT is ambiguous", ("ambiguous_column", "id")),
        (1305, "FUNCTION shop.foo does not exist", ("no_such_function", "foo")),
        (1969, "Query execution was interrupted (max_statement_time exceeded)", ("timeout", None)),
        (9999, "something else", ("other", None)),
    ],
)
def test_errors_have_kinds(number: int, message: str, expected: tuple[str, str | None]) -> None:
    assert classify(number, message) == expected


def test_a_url_without_a_database_is_refused() -> None:
    with pytest.raises(DatabaseError, match="names no database"):
        open_mysql("mysql+pymysql://me:secret@127.0.0.1:1")


@pytest.fixture(scope="module")
def base() -> Server:
    return attacked_server("mariadb")


@pytest.mark.server
def test_the_schema_has_keys_comments_types_counts_and_rows(base: Server) -> None:
    database = open_database(base.url("attacked") + "?charset=utf8mb4")
    try:
        schema = database.schema()
        customers, lines = schema.table("customers"), schema.table("Order Lines")
        assert customers is not None
        assert lines is not None
        assert (customers.comment, customers.row_count) == ("people who bought something", 2)
        assert customers.columns[2].comment == "where they live"
        assert lines.primary_key == ("order_id", "line")
        assert lines.foreign_keys == (ForeignKey("Order Lines", ("order_id",), "orders", ("id",)),)
        assert schema.samples["orders"][0] == (1, 1, 10.5, "2026-01-02")
        assert "CREATE TABLE `Order Lines`" in ddl(schema)
    finally:
        database.close()


@pytest.mark.server
def test_values_arrive_as_cells_and_caps_cut(base: Server) -> None:
    database = open_database(base.url("attacked") + "?charset=utf8mb4")
    try:
        result = database.run(
            "SELECT sum(amount), max(placed), NULL, x'41', CAST('26:00' AS time) FROM orders"
        )
        assert isinstance(result, Rows)
        assert result.rows == ((20.75, "2026-02-03", None, b"A", "26:00:00"),)
        cut = database.run("SELECT n, REPEAT('x', 5000) FROM numbers", Limits(rows=10, cell_bytes=7))
        assert isinstance(cut, Rows)
        assert (cut.truncated, len(cut.rows), cut.rows[0][1]) == (True, 10, "xxxxxxx")
        assert database.run("SELECT 1").ok
    finally:
        database.close()


@pytest.mark.server
@pytest.mark.parametrize(
    ("user", "database", "said"),
    [
        ("reader:wrong", "attacked", "the password is wrong"),
        ("reader:reader-pass", "nope", "may not use that database"),
        ("writer:writer-pass", "attacked", "INSERT on"),
        ("files:files-pass", "attacked", "FILE on"),
    ],
)
def test_who_is_not_let_in(base: Server, user: str, database: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as raised:
        open_database(base.url(database, user))
    assert "-pass" not in str(raised.value)


@pytest.mark.server
def test_a_writer_is_let_in_when_told_so_and_still_writes_nothing(base: Server) -> None:
    database = open_database(base.url("attacked", "writer:writer-pass") + "?critiql_allow_writer=1")
    try:
        for sql in ("DELETE FROM orders", "SELECT write_it()", "WITH x AS (SELECT 1) DELETE FROM orders"):
            result = database.run(sql)
            assert not result.ok
            assert result.kind == "denied"
        assert database.run("SELECT count(*) FROM orders").ok
    finally:
        database.close()


@pytest.mark.server
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT LOAD_FILE('{folder}/canary.txt')",
        "SELECT 1 --\u00a0'\n, LOAD_FILE('{folder}/canary.txt') -- '",
        "SELECT 1--\x7f'\n, LOAD_FILE('{folder}/canary.txt') -- '",
        "SELECT /*! LOAD_FILE('{folder}/canary.txt') */",
        "SELECT 1 INTO OUTFILE '{folder}/out'",
        "SELECT 1--\x7f'\n INTO OUTFILE '{folder}/out' -- '",
        "SELECT 1 --\u00a0'\n INTO DUMPFILE '{folder}/out' -- '",
        "EXPLAIN SELECT LOAD_FILE('{folder}/canary.txt')",
        "ANALYZE SELECT 1 INTO OUTFILE '{folder}/out'",
    ],
)
def test_files_stay_closed_also_to_an_account_that_may_open_them(
    base: Server, sql: str, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "canary.txt").write_text("CANARY")
    database = get_database(base.url("attacked", "files:files-pass") + "?critiql_allow_writer=1")
    result = database.run(sql.replace("{folder}", str(tmp_path)))
    assert not result.ok
    assert result.kind == "denied"
    assert [path.name for path in tmp_path.iterdir()] == ["canary.txt"]


@pytest.mark.server
def test_a_connection_lost_while_idle_is_made_again_unseen(base: Server) -> None:
    database = open_database(base.url("attacked"))
    try:
        assert database.run("SELECT 1").ok
        for again in (lambda: database.run("SELECT 1").ok, lambda: bool(database.structure()[0].tables)):
            base.sql("KILL USER reader", "attacked")
            assert again()
    finally:
        database.close()


@pytest.mark.server
def test_the_schema_is_read_anew_when_it_changed(base: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("critiql.tools.database.database.VERSION_SECONDS", 0.0)
    base.sql("CREATE OR REPLACE TABLE later (a int)", "attacked")
    database = open_database(base.url("attacked"))
    try:
        first = database.schema()
        assert database.schema() is first
        base.sql("ALTER TABLE later CHANGE a b int", "attacked")
        changed = database.schema().table("later")
        assert changed is not None
        assert list(changed.by_name) == ["b"]
    finally:
        database.close()
        base.sql("DROP TABLE IF EXISTS later", "attacked")


@pytest.mark.server
def test_a_limit_of_rows_does_not_shorten_what_is_known_of_the_database(base: Server) -> None:
    database = open_database(base.url("attacked"))
    try:
        before = database.structure()[0]
        assert len(before.tables) > 1
        assert database.run("SELECT 1", Limits(rows=1)).ok
        assert database.structure()[0] == before
    finally:
        database.close()


@pytest.mark.server
def test_a_server_that_is_down_is_said_to_be() -> None:
    with pytest.raises(DatabaseError, match="nothing answers"):
        open_database("mysql://reader:x@127.0.0.1:1/shop")
