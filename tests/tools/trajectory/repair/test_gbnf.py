"""The grammar of edit scripts: whatever it lets a model write can be carried out."""

import json
import sqlite3
from contextlib import closing
from random import Random

import pytest
from gbnf_texts import draw
from llama_cpp import LlamaGrammar

from critiql.agent.share import read_script
from critiql.tools.database.open import open_database
from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.trajectory.language.actions import Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.repair.edits import apply_edits
from critiql.tools.trajectory.repair.gbnf import EDIT_OPENING, edit_grammar

QUERIES = [
    "SELECT title FROM item",
    "SELECT COUNT(*) FROM item WHERE price > 10",
    "SELECT DISTINCT i.title FROM item AS i JOIN maker AS m ON i.maker_id = m.id WHERE m.name = 'Alder'",
    "SELECT maker_id, COUNT(*) FROM item GROUP BY maker_id HAVING COUNT(*) > 1 ORDER BY COUNT(*) LIMIT 1",
    "SELECT title FROM item WHERE price > (SELECT AVG(price) FROM item) ORDER BY price",
    "SELECT name FROM maker WHERE id NOT IN (SELECT maker_id FROM item WHERE price > 50)",
    "SELECT title FROM item UNION SELECT name FROM maker ORDER BY 1",
    "SELECT t.n FROM (SELECT COUNT(*) AS n FROM item GROUP BY maker_id) AS t WHERE t.n > 1",
]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    path = tmp_path_factory.mktemp("items") / "items.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            'CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT, "full name" TEXT);'
            "CREATE TABLE item (id INTEGER PRIMARY KEY, title TEXT, price REAL, maker_id INTEGER);"
        )
    with closing(open_database(path)) as database:
        return database.schema()


def trajectory_of(sql: str) -> Trajectory:
    parsed = parse(sql, "sqlite")
    assert isinstance(parsed, Parsed)
    found = compile_query(parsed.tree, "sqlite")
    assert isinstance(found, Trajectory)
    return found


@pytest.mark.parametrize("sql", QUERIES)
def test_every_script_can_be_carried_out(sql: str, schema: Schema) -> None:
    trajectory, random = trajectory_of(sql), Random(0)
    grammar = edit_grammar(trajectory, schema)
    assert grammar is not None
    LlamaGrammar.from_string(grammar, verbose=False)
    changed = 0
    for _ in range(60):
        text = draw(grammar, random)
        edits = read_script(text)
        assert isinstance(edits, tuple), f"{EDIT_OPENING}{text}: {edits}"
        edited = apply_edits(trajectory, edits, schema)
        assert isinstance(edited, Trajectory), f"{json.dumps(text)}: {edited}"
        changed += edited != trajectory
    assert changed > 20


def test_a_query_without_a_table_has_no_script(schema: Schema) -> None:
    assert edit_grammar(trajectory_of("SELECT 1"), schema) is None
