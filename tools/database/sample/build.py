"""The sample database: a small music shop, made by this script with a fixed seed, the same rows each time."""

import atexit
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from critiql.tools.cache_folder import cache_folder
from critiql.tools.database.engine import DatabaseError
from critiql.tools.private_files import OWNER_FOLDER, say_once

VERSION = 1
"""Raised with every change of the content, so that an older file is not used."""

SEED = 20261121

SCHEMA = """
CREATE TABLE genres (genre_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE artists (artist_id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL);
CREATE TABLE albums (
  album_id INTEGER PRIMARY KEY, title TEXT NOT NULL,
  artist_id INTEGER NOT NULL REFERENCES artists (artist_id),
  genre_id INTEGER NOT NULL REFERENCES genres (genre_id), release_year INTEGER NOT NULL,
  price REAL NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE customers (
  customer_id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
  city TEXT NOT NULL, country TEXT NOT NULL, joined_on TEXT NOT NULL);
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
  ordered_on TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (order_id),
  album_id INTEGER NOT NULL REFERENCES albums (album_id), quantity INTEGER NOT NULL,
  unit_price REAL NOT NULL, PRIMARY KEY (order_id, album_id));
CREATE TABLE reviews (
  review_id INTEGER PRIMARY KEY, album_id INTEGER NOT NULL REFERENCES albums (album_id),
  customer_id INTEGER NOT NULL REFERENCES customers (customer_id), stars INTEGER NOT NULL,
  written_on TEXT NOT NULL);
"""

GENRES = ("Rock", "Jazz", "Classical", "Electronic", "Folk", "Hip-Hop", "Blues", "Soul")
COUNTRIES = {
    "Germany": ("Berlin", "Hamburg", "Cologne"),
    "France": ("Paris", "Lyon", "Nantes"),
    "Japan": ("Tokyo", "Osaka", "Kyoto"),
    "Brazil": ("Recife", "Salvador", "Curitiba"),
    "Canada": ("Toronto", "Montreal", "Halifax"),
    "Kenya": ("Nairobi", "Mombasa", "Kisumu"),
}
# fmt: off
FIRST = (
    "Ada", "Ben", "Chloe", "Dario", "Emi", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaito", "Lena",
    "Mara", "Nils", "Olga", "Pia", "Quinn", "Rosa", "Sven", "Tala"
)
LAST = (
    "Abel", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen",
    "Kamau", "Lopes", "Meyer", "Novak", "Okafor", "Petit"
)
WORDS = (
    "Amber", "Silent", "Northern", "Paper", "Velvet", "Hollow", "Golden", "Distant", "Electric",
    "Winter", "Copper", "Blue", "Last", "Second"
)
THINGS = (
    "River", "Garden", "Signal", "Harbor", "Mirror", "Station", "Orchard", "Machine", "Letter",
    "Season", "Window", "Horizon", "Engine"
)
# fmt: on
STATUSES = ("delivered", "delivered", "delivered", "delivered", "shipped", "open", "cancelled")


class Tables(NamedTuple):
    """Rows per table, in column order."""

    genres: list[tuple[object, ...]]
    artists: list[tuple[object, ...]]
    albums: list[tuple[object, ...]]
    customers: list[tuple[object, ...]]
    orders: list[tuple[object, ...]]
    order_items: list[tuple[object, ...]]
    reviews: list[tuple[object, ...]]


def sample_database() -> Path:
    """The sample database's path; made on first use, and never left half made.

    A damaged file is made again. Where the cache cannot be written, it is made in a folder that is removed
    when the process ends, which is logged once.
    """
    path = cache_folder() / f"music_shop_{VERSION}.sqlite"
    try:
        if not _is_whole(path):
            _make(path)
        return path
    except (OSError, sqlite3.Error) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        say_once(path, why, "The sample database is made anew in each process.")
        return _passing()


def _make(path: Path) -> None:
    path.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        build(made)
        made.replace(path)


@cache
def _passing() -> Path:
    """A sample database for this process alone.

    Raises:
        DatabaseError: there is no place for that either.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="critiql-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = folder / f"music_shop_{VERSION}.sqlite"
        build(path)
    except (OSError, sqlite3.Error) as error:
        msg = f"The sample database cannot be made: {error}. Free some space, or name a database with --db."
        raise DatabaseError(msg) from error
    return path


_whole: set[tuple[str, int, int]] = set()


def _is_whole(path: Path) -> bool:
    """Whether the file is there and has all its tables; looked at once a process while it stays as it is."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    state = (str(path), found.st_size, found.st_mtime_ns)
    if state in _whole:
        return True
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as connection:
            checked = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            count = connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone()[
                0
            ]
    except sqlite3.DatabaseError:
        return False
    if checked and count == len(Tables._fields):
        _whole.add(state)
        return True
    return False


def build(path: Path) -> None:
    """Write the database to a new file."""
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    for table, rows in tables(random.Random(SEED))._asdict().items():
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    connection.commit()
    connection.close()


def tables(rng: random.Random) -> Tables:
    """All rows: 60 artists, 200 albums, 250 customers, 1,500 orders, some 3,700 order lines, 800 reviews."""
    albums = list(_albums(rng))
    customers = list(_customers(rng))
    orders = list(_orders(rng, len(customers)))
    return Tables(
        genres=list(enumerate(GENRES, 1)),
        artists=list(_artists(rng)),
        albums=albums,
        customers=customers,
        orders=orders,
        order_items=list(_order_items(rng, orders, albums)),
        reviews=list(_reviews(rng, len(albums), len(customers))),
    )


def _artists(rng: random.Random) -> Iterator[tuple[object, ...]]:
    names = sorted({f"The {word} {thing}s" for word in WORDS for thing in THINGS})
    for number, name in enumerate(rng.sample(names, 60), 1):
        yield number, name, rng.choice(list(COUNTRIES))


def _albums(rng: random.Random) -> Iterator[tuple[object, ...]]:
    titles = [f"{word} {thing}" for word in WORDS for thing in THINGS] + [
        f"{thing} Songs" for thing in THINGS
    ]
    titles += [f"Live at {city}" for cities in COUNTRIES.values() for city in cities]
    for number, title in enumerate(rng.sample(titles, 200), 1):
        price = rng.choice((7.99, 9.99, 12.5, 14.99, 18.0, 24.99))
        yield (
            number,
            title,
            rng.randint(1, 60),
            rng.randint(1, 8),
            rng.randint(1972, 2025),
            price,
            rng.randint(0, 40),
        )


def _customers(rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, 251):
        country = rng.choice(list(COUNTRIES))
        joined = date(2021, 1, 1) + timedelta(days=rng.randrange(1500))
        yield (
            number,
            rng.choice(FIRST),
            rng.choice(LAST),
            rng.choice(COUNTRIES[country]),
            country,
            joined.isoformat(),
        )


def _orders(rng: random.Random, customers: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, 1501):
        day = date(2023, 1, 1) + timedelta(days=rng.randrange(1050))
        yield number, 1 + int(customers * rng.random() ** 2), day.isoformat(), rng.choice(STATUSES)


def _order_items(
    rng: random.Random, orders: list[tuple[object, ...]], albums: list[tuple[object, ...]]
) -> Iterator[tuple[object, ...]]:
    for order in orders:
        for album in rng.sample(albums, rng.choice((1, 1, 2, 3, 4, 4))):
            yield order[0], album[0], rng.choice((1, 1, 1, 2, 3)), album[5]


def _reviews(rng: random.Random, albums: int, customers: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, 801):
        day = date(2023, 2, 1) + timedelta(days=rng.randrange(1000))
        stars = rng.choice((1, 2, 3, 4, 4, 5, 5))
        yield number, rng.randint(1, albums), rng.randint(1, customers), stars, day.isoformat()
