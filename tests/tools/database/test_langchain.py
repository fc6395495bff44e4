"""A LangChain SQLDatabase is opened by its URL, with the tables it was narrowed to."""

from pathlib import Path

import pytest
from targets import attacked_server

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.langchain import from_langchain, url_of

pytest.importorskip("sqlalchemy")


def test_the_same_tables_read_only(shop: Path) -> None:
    from langchain_community.utilities import SQLDatabase

    source = SQLDatabase.from_uri(f"sqlite:///{shop}")
    assert url_of(source) == f"sqlite:///{shop}"
    database = from_langchain(source)
    try:
        assert {table.name for table in database.schema().tables} == {"maker", "item"}
        result = database.run("DELETE FROM item")
        assert not result.ok
        assert result.kind == "denied"
    finally:
        database.close()
        source._engine.dispose()


def test_a_narrowed_one_stays_narrow(shop: Path) -> None:
    from langchain_community.utilities import SQLDatabase

    source = SQLDatabase.from_uri(f"sqlite:///{shop}", include_tables=["maker"])
    database = from_langchain(source)
    try:
        assert database.run("SELECT count(*) FROM maker").ok
        assert not database.run("SELECT count(*) FROM item").ok
    finally:
        database.close()
        source._engine.dispose()


def test_a_database_in_memory_is_refused() -> None:
    from langchain_community.utilities import SQLDatabase

    source = SQLDatabase.from_uri("sqlite://")
    with pytest.raises(DatabaseError, match="no file or server"):
        from_langchain(source)
    source._engine.dispose()


@pytest.mark.server
@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_one_on_a_server(kind: str) -> None:
    from langchain_community.utilities import SQLDatabase

    source = SQLDatabase.from_uri(attacked_server(kind).url("attacked"), include_tables=["orders"])
    database = from_langchain(source)
    try:
        assert database.run("SELECT count(*) FROM orders").ok
        for sql in ("DELETE FROM orders", "SELECT * FROM secrets"):
            result = database.run(sql)
            assert not result.ok
            assert result.kind == "denied"
    finally:
        database.close()
        source._engine.dispose()
