"""Database URLs in SQLAlchemy's form: taken apart, and shown without secrets."""

from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from critiql.tools.database.engine import DatabaseError
from critiql.tools.hiding import know_secret


class ServerUrl(NamedTuple):
    """A URL taken apart."""

    scheme: str
    """Without a driver: `postgresql` of `postgresql+psycopg`."""
    user: str | None
    password: str | None
    host: str | None
    port: int | None
    database: str
    parameters: dict[str, str]

    @property
    def shown(self) -> str:
        """The URL without password and parameters."""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host or ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{host}{port}/{self.database}"

    def flag(self, name: str) -> bool:
        """Whether a parameter of ours is set."""
        return self.parameters.get(name, "").casefold() in ("1", "true", "yes", "on")


def read_url(url: str) -> ServerUrl:
    """The parts of a URL.

    Raises:
        DatabaseError: it has no form that could be read; the message does not repeat it.
    """
    msg = "The database URL cannot be read. Write SCHEME://USER:PASSWORD@HOST:PORT/NAME, with %-escapes."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DatabaseError(msg) from None
    if "@" in parts.path + parts.fragment:  # of a password that holds a slash or a hash
        raise DatabaseError(msg)
    if parts.password:
        know_secret(parts.password, unquote(parts.password))
    return ServerUrl(
        parts.scheme.split("+")[0].lower(),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        parts.hostname,
        port,
        unquote(parts.path.removeprefix("/")),
        dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def without_password(name: str) -> str:
    """The name of a database without secrets: of a server's URL, password and parameters are left out.

    Raises:
        DatabaseError: it looks like a URL and cannot be read.

    >>> without_password("postgresql://reader:s3cret-word@host:5432/shop?sslmode=require")
    'postgresql://reader@host:5432/shop'
    """
    is_file = "://" not in name or name.startswith(("sqlite:", "duckdb:"))
    return name if is_file else read_url(name).shown
