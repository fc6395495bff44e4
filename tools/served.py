"""What a server lets the network name: databases and models chosen when it was started, and no file beside.

A graph takes the name of a database and of a model from whoever asks. On one's own machine any path will do;
behind a socket only the names given at start stand for something.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.open import get_database
from critiql.tools.database.server_url import without_password
from critiql.tools.settings import settings

_SENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
"""Names of files that are sent: no folder in them."""


class Served(BaseModel):
    """The choice a server offers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    databases: dict[str, str]
    """Name to path or URL, with its password; the first is the default."""
    models: tuple[str, ...] = ()
    """Models that may be asked for; the first is the default."""
    examples: str = ""
    """File of verified pairs that every run is shown; empty: none."""
    token: str = ""
    """What every request must carry; empty: none."""
    users: dict[str, str] = {}
    """Name to token of those who share the server and see nothing of each other; empty: all are one."""
    hosts: tuple[str, ...] = ()
    """Names of this machine beside its addresses and localhost."""
    origins: tuple[str, ...] = ()
    """Web sites whose pages may use the server beside its own."""
    uploads: str = ""
    """Folder for databases that are sent; empty: none are taken."""

    def place_of(self, named: str) -> str:
        """The path or URL that a name stands for; a run's own note of an opened database is one too.

        Raises:
            DatabaseError: no database of that name is served; the message names those that are.
        """
        name = named or next(iter(self.databases))
        if name in self.databases:
            return self.databases[name]
        if self.uploads and _SENT.fullmatch(name) and (Path(self.uploads) / name).is_file():
            return str(Path(self.uploads) / name)
        found = next((place for place in self.databases.values() if _is_place(name, place)), None)
        if found is not None:
            return found
        known = ", ".join(self.databases)
        raise DatabaseError(f"No database called {name[:80]!r} is served here. There are: {known}.")

    def name_of(self, place: str) -> str:
        """The name that a path or URL was given at start; the text itself where it has none."""
        return next((name for name, own in self.databases.items() if _is_place(place, own)), place)


def _is_place(text: str, place: str) -> bool:
    """Whether a text names this database: as given at start, or as the opened database names itself."""
    if text == place:
        return True
    try:
        return get_database(place).url == text
    except DatabaseError:  # one that has vanished is told of when it is asked for
        return False


def names_for(databases: Mapping[str, str] | list[str]) -> dict[str, str]:
    """Names for databases: `NAME=PLACE`, or a place alone, which is called like its file.

    Raises:
        ValueError: two have the same name.
    """
    if isinstance(databases, Mapping):
        return dict(databases)
    named: dict[str, str] = {}
    for item in databases:
        name, equals, place = item.partition("=")
        if not equals or "/" in name or "\\" in name or ":" in name:
            name, place = Path(without_password(item)).stem or "database", item
        if name in named:
            raise ValueError(f"Two databases are called {name}. Give one another name: --db NAME=PATH.")
        named[name] = place
    return named


def served() -> Served | None:
    """What this process offers to the network; None where it serves nobody and any path will do."""
    text = settings().served
    return Served.model_validate_json(text) if text else None


def place_of(named: str) -> str:
    """The path or URL that a name stands for; the name itself where this process serves nobody.

    Raises:
        DatabaseError: this process serves, and no database of that name.
    """
    offered = served()
    return offered.place_of(named) if offered else named
