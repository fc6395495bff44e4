"""PostgreSQL behind the database interface: few rights, a read-only transaction, a killable client."""

from importlib.util import find_spec

from psycopg import pq

from critiql.tools.database.database import WorkerDatabase, opened
from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.postgres.role import OVERRIDE
from critiql.tools.database.sandbox.pool import MEGABYTE, WorkerSpec
from critiql.tools.database.server_url import ServerUrl, read_url

MEMORY_BYTES = 512 * MEGABYTE
"""Address space of the client process: what a result can take here, whatever the server sends."""


def _parameters(url: ServerUrl) -> dict[str, str]:
    """What the driver is given: the environment's defaults (PGHOST and others), then the URL's parts."""
    options = {option.keyword.decode(): option.val for option in pq.Conninfo.get_defaults()}
    found = {name: value.decode() for name, value in options.items() if value is not None}
    ours = {name: value for name, value in url.parameters.items() if not name.startswith("critiql_")}
    unknown = sorted(set(ours) - set(options))
    if unknown:
        msg = f"PostgreSQL knows no connection parameter {unknown[0]!r}. Remove it from the URL."
        raise DatabaseError(msg)
    parts = {
        "user": url.user,
        "password": url.password,
        "host": url.host,
        "port": str(url.port) if url.port else None,
        "dbname": url.database or None,
    }
    found |= {name: value for name, value in parts.items() if value is not None} | ours
    return found | {"client_encoding": "utf8", "application_name": "critiql"}


def open_postgres(
    url: str, policy: AccessPolicy | None = None, allow_superuser: bool = False
) -> WorkerDatabase:
    """The database at `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, connected and checked.

    Args:
        url: A URL as SQLAlchemy and libpq take it; `critiql_allow_superuser=1` is ours.
        policy: Tables and columns that may be read; all when None.
        allow_superuser: Run also under a role that can reach the server's files.

    Raises:
        DatabaseError: no connection, a role with too many rights, or no table to read.
        ModuleNotFoundError: PostgreSQL's grammar (pglast) is not installed; nothing runs without it.
    """
    if find_spec("pglast") is None:
        raise ModuleNotFoundError(name="pglast")
    parts = read_url(url)
    options = {
        "parameters": _parameters(parts),
        "allow_superuser": allow_superuser or parts.flag(OVERRIDE),
        "policy": (policy or AccessPolicy()).as_options(),
    }
    spec = WorkerSpec("critiql.tools.database.postgres.session", options, MEMORY_BYTES, needs_site=True)
    return opened(WorkerDatabase(parts.shown, "postgres", spec, policy, tells_version=True))
