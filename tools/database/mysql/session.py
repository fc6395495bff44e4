"""The worker's side of MySQL and MariaDB: one SELECT in a read-only transaction at a time."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import decoders
from pymysql.cursors import SSCursor

from critiql.tools.database.guard.access import Catalog, check_access
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal, forbidden_call, one_select
from critiql.tools.database.guard.tokens import Token
from critiql.tools.database.mysql import introspect
from critiql.tools.database.mysql.errors import classify, explain_connection
from critiql.tools.database.mysql.grants import account_trouble
from critiql.tools.database.mysql.rewriting import forbidden_rewriting, rewritten
from critiql.tools.database.sandbox.cells import cell
from critiql.tools.database.sandbox.clip import clip_rows

_FORBIDDEN_WORDS = """
load_file sleep benchmark get_lock release_lock release_all_locks is_free_lock is_used_lock master_pos_wait
source_pos_wait master_gtid_wait wait_for_executed_gtid_set wait_until_sql_thread_after_gtids nextval lastval
setval sys_exec sys_eval sys_get sys_set analyse
"""
FORBIDDEN = frozenset(_FORBIDDEN_WORDS.split())
"""Functions that read files, wait, lock, write sequences, or (user-defined) leave the server."""
_MODE_WORDS = """
ANSI ANSI_QUOTES NO_BACKSLASH_ESCAPES PIPES_AS_CONCAT IGNORE_SPACE DB2 MAXDB MSSQL ORACLE POSTGRESQL
"""
MODES_THAT_CHANGE_READING = frozenset(_MODE_WORDS.split())
"""SQL modes under which the same text is other SQL than the tokens, sqlglot and a model take it for."""
TYPES: dict[int, str] = {
    number: name.lower() for name, number in vars(FIELD_TYPE).items() if isinstance(number, int)
}
"""Type names by the protocol's number."""
TEMPORARY_BYTES = 16 * 2**20
CONNECT_SECONDS = 5
ALL_ROWS = 2**64 - 1
"""No limit of rows, for the catalogue: what a statement may return must not shorten what is known."""
FRESH_SECONDS = 2.0
"""How long names of tables, views and functions are believed."""


class ConnectionTroubleError(Exception):
    """The server cannot be used; the sentence says why and what to do."""


class Session:
    """Answers requests for one database; connects on demand, and again after a connection was given up."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._parameters: dict[str, Any] = options["parameters"]
        self._may_write: bool = options["allow_writer"]
        self._policy = AccessPolicy.from_options(options["policy"])
        self._connection: Any = None
        self._is_mariadb = False
        self._catalog = Catalog(frozenset())
        self._read_at = 0.0
        with contextlib.suppress(ConnectionTroubleError):
            self._ready()  # connecting belongs to the start, not to the first statement's time

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        try:
            if request["op"] == "introspect":
                return {"tables": self._look(introspect.tables, request["limits"][0])}
            if request["op"] == "version":
                return {"version": self._look(introspect.version, request["limits"][0])}
            return self._run(request["sql"], *request["limits"])
        except ConnectionTroubleError as error:
            return {"kind": "connection", "message": str(error)}
        except pymysql.Error as error:
            return self._reply_of(error)

    def _look(self, read: Callable[[Any], Any], seconds: float) -> Any:
        """What a question to the catalogue gives; asked again when the connection was lost."""
        try:
            return self._look_once(read, seconds)
        except pymysql.Error as error:
            if classify(error.args[0] if error.args else 0, "")[0] != "connection":
                raise
        self._forget()
        return self._look_once(read, seconds)

    def _look_once(self, read: Callable[[Any], Any], seconds: float) -> Any:
        with self._ready().cursor() as cursor:
            self._set_limits(cursor, seconds, ALL_ROWS)
            return read(cursor)

    def _reply_of(self, error: pymysql.Error) -> dict[str, Any]:
        number, message = (*error.args, "", "")[:2]
        kind, name = classify(number if isinstance(number, int) else 0, str(message))
        if kind == "timeout":
            message = "the statement was stopped at its time limit"
        if kind == "connection":
            self._forget()
            message = f"the connection to the server was lost: {message}"
        return {"kind": kind, "message": str(message), "name": name}

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection._force_close()  # without reading what the server still sends

    def _ready(self) -> Any:
        if self._connection is None:
            connection = _connect(self._parameters)
            try:
                self._prepare(connection)
            except pymysql.Error as error:
                connection._force_close()
                msg = f"the session could not be set up: {error.args[-1]}."
                raise ConnectionTroubleError(msg) from None
            self._connection = connection
        return self._connection

    def _prepare(self, connection: Any) -> None:
        trouble = None if self._may_write else account_trouble(connection)
        if trouble is not None:
            connection._force_close()
            raise ConnectionTroubleError(trouble)
        self._is_mariadb = "mariadb" in connection.get_server_info().lower()
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@SESSION.sql_mode")
            modes = [
                mode for mode in cursor.fetchone()[0].split(",") if mode not in MODES_THAT_CHANGE_READING
            ]
            cursor.execute("SET SESSION sql_mode = %s", [",".join(modes)])
            read_only = "tx_read_only" if self._is_mariadb else "transaction_read_only"
            cursor.execute(
                f"SET SESSION {read_only} = 1, tmp_table_size = {TEMPORARY_BYTES}, "
                f"max_heap_table_size = {TEMPORARY_BYTES}"
            )
            self._read_catalog(cursor)

    def _run(self, sql: str, seconds: float, rows: int, total_bytes: int, cell_bytes: int) -> dict[str, Any]:
        tokens = one_select(sql)
        if isinstance(tokens, Refusal):
            return tokens._asdict()
        connection = self._started(seconds, rows)
        is_done = True
        try:
            refusal = self._refusal(tokens, connection, sql)
            if refusal is not None:
                return refusal._asdict()
            is_done = False
            reply = _fetch(connection, sql, rows, total_bytes, cell_bytes)
            is_done = not reply["truncated"]
            return reply
        except (UnicodeError, ValueError, AttributeError) as error:
            return {"kind": "other", "message": f"the driver cannot read the result: {error}"}
        except pymysql.Error as error:
            is_done = classify(error.args[0] if error.args else 0, "")[0] != "connection"
            raise
        finally:
            self._end(connection, is_done)

    def _started(self, seconds: float, rows: int) -> Any:
        """A connection in a transaction, its catalogue fresh.

        One that was lost while it was idle is made again, once: nothing of the statement was sent.
        """
        is_new = self._connection is None
        connection = self._ready()
        try:
            self._begin(connection, seconds, rows)
        except pymysql.Error as error:
            self._forget()
            if is_new or classify(error.args[0] if error.args else 0, "")[0] != "connection":
                raise
            connection = self._ready()
            self._begin(connection, seconds, rows)
        return connection

    def _refusal(self, tokens: list[Token], connection: Any, sql: str) -> Refusal | None:
        """What the tokens say, then what the server says that it reads."""
        refusal = self._refusal_of(tokens)
        if refusal is not None or not (self._policy.deny_tables or self._policy.deny_columns):
            return refusal
        with connection.cursor() as cursor:
            return forbidden_rewriting(rewritten(cursor, sql, self._is_mariadb), self._policy, self._catalog)

    def _refusal_of(self, tokens: list[Token]) -> Refusal | None:
        """Waiting and file functions, stored functions, sequences, the policy."""
        for token, following in zip(tokens, [*tokens[1:], None], strict=True):
            if token.is_word("next", "previous") and following is not None and following.is_word("value"):
                return Refusal("denied", "sequences may not be used here: reading one changes it")
        return (
            forbidden_call(tokens, FORBIDDEN)
            or forbidden_call(tokens, self._catalog.functions)
            or check_access(tokens, self._policy, self._catalog)
        )

    def _begin(self, connection: Any, seconds: float, rows: int) -> None:
        with connection.cursor() as cursor:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._set_limits(cursor, seconds, ALL_ROWS)
                self._read_catalog(cursor)
            self._set_limits(cursor, seconds, rows + 1)
            cursor.execute("START TRANSACTION READ ONLY")

    def _set_limits(self, cursor: Any, seconds: float, rows: int) -> None:
        """What holds until it is set anew, also for our own questions to the catalogue."""
        limit = f"max_statement_time = {seconds:.3f}"
        if not self._is_mariadb:
            limit = f"max_execution_time = {max(1, int(seconds * 1000))}"
        waiting = max(1, int(seconds))
        cursor.execute(
            f"SET SESSION {limit}, sql_select_limit = {rows}, "
            f"lock_wait_timeout = {waiting}, innodb_lock_wait_timeout = {waiting}"
        )

    def _read_catalog(self, cursor: Any) -> None:
        self._catalog, self._read_at = _catalog(cursor), time.monotonic()

    def _end(self, connection: Any, is_done: bool) -> None:
        """Always back; a connection with unread rows is given up, which ends the statement on the server."""
        if not is_done:
            self._forget()
            return
        try:
            connection.rollback()
        except pymysql.Error:
            self._forget()


CONVERTERS: Any = decoders
"""From the server's text to Python; the stubs type the argument more narrowly than the library uses it."""


def _connect(parameters: dict[str, Any]) -> Any:
    try:
        return pymysql.connect(
            **{"connect_timeout": CONNECT_SECONDS, **parameters},
            charset="utf8mb4",
            autocommit=True,
            local_infile=False,
            client_flag=CLIENT.PROTOCOL_41,  # without MULTI_STATEMENTS the server itself refuses a second one
            conv=CONVERTERS,
        )
    except pymysql.Error as error:
        number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        raise ConnectionTroubleError(explain_connection(number)) from None
    except (OSError, RuntimeError, ValueError) as error:
        msg = f"the connection failed: {type(error).__name__}. Check the URL and its parameters."
        raise ConnectionTroubleError(msg) from None


def _catalog(cursor: Any) -> Catalog:
    def names(sql: str) -> frozenset[str]:
        cursor.execute(sql)
        return frozenset(row[0].casefold() for row in cursor.fetchall())

    cursor.execute(introspect.VIEWS_SQL)
    views = {name.casefold(): text or "" for name, text in cursor.fetchall()}
    tables = names("SELECT table_name FROM information_schema.tables WHERE table_schema = database()")
    return Catalog(tables, views, names(introspect.SCHEMAS_SQL), names(introspect.ROUTINES_SQL))


def _fetch(connection: Any, sql: str, rows: int, total_bytes: int, cell_bytes: int) -> dict[str, Any]:
    cursor = SSCursor(connection)
    cursor.execute(sql)
    described = cursor.description or ()
    clipped = clip_rows(_cells(cursor), rows, total_bytes, cell_bytes)
    return {
        "columns": [column[0] for column in described],
        "types": [TYPES.get(int(column[1]), "") for column in described],
        "rows": clipped.rows,
        "truncated": clipped.truncated,
    }


def _cells(cursor: Any) -> Iterator[list[Any]]:
    while (row := cursor.fetchone()) is not None:
        yield [cell(value) for value in row]


def open_session(options: dict[str, Any]) -> Session:
    """The session of one server and database.

    Args:
        options: `parameters` of the connection, `allow_writer`, `policy`.
    """
    return Session(options)
