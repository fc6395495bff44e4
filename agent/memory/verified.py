"""The verified memory: questions with the queries that a person confirmed, one small JSON file a pair.

The folder may be under version control: files are plain, keep their names, and say who confirmed what and
when. A file that cannot be read is told of and left as it is; the others are used.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from critiql.tools.database.engine import Database
from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.private_files import OWNER_FILE, OWNER_FOLDER
from critiql.tools.question_pairs import Pair
from critiql.tools.schema.model import Schema
from critiql.tools.settings import settings

LARGEST = 100_000
"""Bytes of a file that is read."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""Names of pairs: no folder in them."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class VerifiedError(CritiqlError, ValueError):
    """The verified memory cannot do it. The message says what happened, why, and what to do."""

    exit_code = USAGE


class UnknownPairError(VerifiedError):
    """There is no pair of that name."""


class Verified(BaseModel):
    """What a file holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    question: Text
    sql: Text
    database: Text
    """Name of the database: of its file without the ending, or as its server knows it."""
    structure: str
    """Fingerprint of tables, columns and keys when it was verified."""
    dialect: str
    who: Text
    when: AwareDatetime


class Kept(NamedTuple):
    """A pair of the memory and its name."""

    name: str
    pair: Verified

    def as_pair(self) -> Pair:
        """The pair as roles are shown it."""
        return Pair(0, self.pair.question, self.pair.sql, self.pair.database, self.name)


class Memory(NamedTuple):
    """What a folder holds."""

    kept: list[Kept]
    """The newest first."""
    damaged: list[str]
    """Files that cannot be read, each in a sentence."""


def read_memory() -> Memory:
    """Every pair of the folder; no folder is an empty memory.

    Raises:
        VerifiedError: the folder cannot be looked into.
    """
    kept: list[Kept] = []
    damaged: list[str] = []
    for file in _files():
        try:
            kept.append(Kept(file.stem, _read(file)))
        except (OSError, ValueError) as error:
            why = _why(error)
            damaged.append(
                f"{file} cannot be read ({why}). Mend it, or take the version before from your copies."
            )
    return Memory(sorted(kept, key=lambda one: one.pair.when, reverse=True), damaged)


def about(database: Database) -> Memory:
    """The pairs of this database, and the damaged files, of which nobody knows what they are about.

    Raises:
        VerifiedError: as `read_memory`.
    """
    memory, name = read_memory(), name_of(database).casefold()
    return memory._replace(kept=[one for one in memory.kept if one.pair.database.casefold() == name])


def digest_of(database: Database) -> str:
    """Digest of what is verified about a database: it changes with every pair that comes, changes or goes.

    Raises:
        VerifiedError: as `read_memory`.
    """
    found = about(database).kept
    lines = sorted(json.dumps([one.name, one.pair.question, one.pair.sql]) for one in found)
    return sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def keep(pair: Verified, *, instead: bool = False) -> Kept:
    """Write a pair into the folder; the file appears whole or not at all.

    Args:
        pair: what a person confirmed.
        instead: put it in the place of another query for the same question.

    Raises:
        VerifiedError: the question has another query already, or the file cannot be written.
    """
    file = settings().memory / f"{name_for(pair)}.json"
    known = _known(file)
    if known and known.sql == pair.sql:
        return Kept(file.stem, known)
    if file.exists() and not instead:
        by = f"with another query, by {known.who}" if known else "in a file that cannot be read"
        raise VerifiedError(
            f"This question is kept already {by}. Remove that one first: critiql memory remove {file.stem}"
        )
    try:
        _write(file, pair.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise VerifiedError(
            f"{file} cannot be written: {_why(error)}. Name another folder: CRITIQL_MEMORY."
        ) from error
    return Kept(file.stem, pair)


def find(name: str) -> Kept:
    """The pair of that name.

    Raises:
        UnknownPairError: there is none, or its file cannot be read.
    """
    found = next((one for one in read_memory().kept if one.name == name), None)
    if found is None:
        raise UnknownPairError(f"There is no verified pair {name[:80]!r}. See them with: critiql memory list")
    return found


def remove(name: str) -> None:
    """Delete the file of that name, readable or not.

    Raises:
        UnknownPairError: there is none.
        VerifiedError: it cannot be deleted.
    """
    file = settings().memory / f"{name}.json"
    if not NAME.fullmatch(name) or not file.is_file():
        raise UnknownPairError(f"There is no verified pair {name[:80]!r}. See them with: critiql memory list")
    try:
        file.unlink()
    except OSError as error:
        raise VerifiedError(f"{file} cannot be removed: {_why(error)}.") from error


def name_of(database: Database) -> str:
    """What a database is called: its file without the ending, or its name on the server."""
    path = unquote(urlsplit(database.url.replace("?", "%3F").replace("#", "%23")).path)
    return Path(path).stem or "database"


def structure_of(schema: Schema) -> str:
    """Fingerprint of a schema without its row counts and samples: 16 hex digits."""
    tables = [replace(table, row_count=None) for table in schema.tables]
    return sha256(repr(tables).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def name_for(pair: Verified) -> str:
    """The name of a pair: one question of a database has one, however it is spaced or capitalised."""
    words = " ".join(re.findall(r"\w+", pair.question.casefold())) or pair.question
    digest = sha256(f"{pair.database.casefold()}\n{words}".encode("utf-8", "surrogatepass")).hexdigest()
    shown = re.sub(r"[^A-Za-z0-9]+", "-", pair.database)[:40].strip("-")
    return f"{shown}-{digest[:12]}".strip("-")


def _files() -> Iterator[Path]:
    folder = settings().memory
    try:
        found = sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise VerifiedError(
            f"The folder of verified questions {folder} cannot be read: {_why(error)}. "
            "Name another one with CRITIQL_MEMORY, or ask without: --set memory=false"
        ) from error
    return (file for file in found if file.suffix == ".json" and NAME.fullmatch(file.stem))


def _read(file: Path) -> Verified:
    if file.stat().st_size > LARGEST:
        raise ValueError(f"larger than {LARGEST:,} bytes")
    return Verified.model_validate_json(file.read_bytes())


def _known(file: Path) -> Verified | None:
    with suppress(OSError, ValueError):
        return _read(file)
    return None


def _write(file: Path, text: str) -> None:
    """Write it beside its place first, readable by its owner alone, as is a folder that this makes."""
    if not file.parent.exists():
        file.parent.mkdir(mode=OWNER_FOLDER, parents=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, prefix=".", suffix=".partial", delete=False, encoding="utf-8"
    ) as opened:
        partial = Path(opened.name)
        try:
            opened.write(text)
            opened.close()
            partial.chmod(OWNER_FILE)
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}" if where else first["msg"]
    return str(getattr(error, "strerror", None) or error)
