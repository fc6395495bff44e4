"""MySQL and MariaDB behind the database interface: an account that only reads, a read-only transaction."""

import getpass
from importlib.util import find_spec

from critiql.tools.database.database import WorkerDatabase, opened
from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.mysql.grants import OVERRIDE
from critiql.tools.database.sandbox.pool import MEGABYTE, WorkerSpec
from critiql.tools.database.server_url import ServerUrl, read_url

MEMORY_BYTES = 512 * MEGABYTE
"""Address space of the client process: what a result can take here, whatever the server sends."""
PARAMETERS = {"unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity"}
"""Parameters of the URL that go to the driver; others would change what the session relies on."""
FLAGS = {"ssl_verify_cert", "ssl_verify_identity"}


def _parameters(url: ServerUrl) -> dict[str, str | int | bool]:
    ours = {name: value for name, value in url.parameters.items() if not name.startswith("critiql_")}
    ours.pop("charset", None)  # it is utf8mb4 in any case
    unknown = sorted(set(ours) - PARAMETERS)
    if unknown:
        known = ", ".join(sorted(PARAMETERS))
        msg = f"The URL has a parameter that is not used here: {unknown[0]!r}. Remove it; known are {known}."
        raise DatabaseError(msg)
    if not url.database:
        msg = f"{url.shown} names no database. Write mysql://USER:PASSWORD@HOST:PORT/DATABASE."
        raise DatabaseError(msg)
    found: dict[str, str | int | bool] = {
        "host": url.host or "localhost",
        "port": url.port or 3306,
        "user": url.user or getpass.getuser(),
        "password": url.password or "",
        "database": url.database,
    }
    return found | {name: url.flag(name) if name in FLAGS else value for name, value in ours.items()}


def open_mysql(url: str, policy: AccessPolicy | None = None, allow_writer: bool = False) -> WorkerDatabase:
    """The database at `mysql://USER:PASSWORD@HOST:PORT/DATABASE` or `mariadb://...`, connected and checked.

    Args:
        url: A URL as SQLAlchemy takes it; `critiql_allow_writer=1` is ours.
        policy: Tables and columns that may be read; all when None.
        allow_writer: Run also under an account that may do more than read.

    Raises:
        DatabaseError: no connection, an account with too many rights, or no table to read.
    """
    if find_spec("pymysql") is None:
        raise ModuleNotFoundError(name="pymysql")
    parts = read_url(url)
    options = {
        "parameters": _parameters(parts),
        "allow_writer": allow_writer or parts.flag(OVERRIDE),
        "policy": (policy or AccessPolicy()).as_options(),
    }
    spec = WorkerSpec("critiql.tools.database.mysql.session", options, MEMORY_BYTES, needs_site=True)
    return opened(WorkerDatabase(parts.shown, "mysql", spec, policy, tells_version=True))
