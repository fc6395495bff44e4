"""A database's content version: what changes it, and where there is none."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from critiql.tools.database.content_version import content_version, file_version
from critiql.tools.database.open import open_database
from critiql.tools.schema.model import Column, Schema, Table


def write(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE item SET price = price + 1")
    connection.close()


def log(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(b"")


def touch(path: Path) -> None:
    os.utime(path, ns=(0, 1))


@pytest.mark.parametrize("change", [write, log, touch])
def test_a_change_of_the_file_or_its_log_is_another_version(change: Any, own_shop: Path) -> None:
    database = open_database(own_shop)
    before = file_version(database)
    assert before == file_version(database)
    change(own_shop)
    assert before != file_version(database)
    database.close()


def test_a_copy_is_another_version_and_odd_names_are_read_as_they_are(own_shop: Path) -> None:
    copy = own_shop.with_name("100%20 of the shop.sqlite")
    copy.write_bytes(own_shop.read_bytes())
    versions = set()
    for path in (own_shop, copy):
        with closing(open_database(path)) as database:
            versions.add(file_version(database))
            touch(path)
            versions.add(file_version(database))
    assert len(versions) == 4


def test_a_server_has_no_file_and_is_known_by_its_tables() -> None:
    def server(rows: int) -> Any:
        tables = (Table("item", (Column("id", "INTEGER"),), row_count=rows),)
        return SimpleNamespace(url="postgresql://host/shop", schema=lambda: Schema(tables))

    assert file_version(server(1)) is None
    assert content_version(server(1)) == content_version(server(1)) != content_version(server(2))
