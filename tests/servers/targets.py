"""Databases for tests on any engine: the one that the attack suite attacks, and the sample."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import duckdb
from running import Server, running

from critiql.tools.database.sample.script import script

ATTACKS = Path(__file__).parents[1] / "fixtures" / "attacks"
DIALECTS = {"postgres": "postgres", "mariadb": "mysql"}
EMPTY = {
    "postgres": "CREATE DATABASE {name}",
    "mariadb": "SET foreign_key_checks = 0; CREATE OR REPLACE DATABASE {name}",
}


@cache
def attacked_server(kind: str) -> Server:
    """A server (postgres, mariadb) with the target in its database `attacked` and accounts of all sorts."""
    server = running(kind)
    for name in ("attacked",) if kind == "postgres" else ("attacked", "hidden"):
        server.sql(EMPTY[kind].format(name=name), kind if kind == "postgres" else "mysql")
    server.sql((ATTACKS / f"{DIALECTS[kind]}_target.sql").read_text(), "attacked")
    return server


@cache
def sample_server(kind: str) -> Server:
    """The same server with the sample database as `music_shop`, which `reader` may read."""
    server = attacked_server(kind)
    server.sql(EMPTY[kind].format(name="music_shop"), kind if kind == "postgres" else "mysql")
    server.sql(script(DIALECTS[kind]), "music_shop")
    tables = "ALL TABLES IN SCHEMA public" if kind == "postgres" else "music_shop.*"
    server.sql(f"GRANT SELECT ON {tables} TO reader", "music_shop")
    return server


def attacked_sqlite(folder: Path, journal: str = "delete") -> Path:
    """A SQLite file with the target."""
    path = folder / "target.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.executescript((ATTACKS / "sqlite_target.sql").read_text())
    return path


def attacked_duckdb(folder: Path) -> Path:
    """A DuckDB file with the target."""
    path = folder / "attacked.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute((ATTACKS / "duckdb_target.sql").read_text())
    return path


def sample_duckdb(folder: Path) -> Path:
    """A DuckDB file with the sample database."""
    path = folder / "music_shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(script("duckdb"))
    return path
