"""Single mistakes of known kind and place, and the edits that repair them."""

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.trajectory.language.actions import Trajectory
from critiql.tools.trajectory.language.check import check_form, check_schema
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.perturb.perturb import KINDS, Kind, identity, perturb
from critiql.tools.trajectory.repair.edits import apply_edits

QUERIES = (
    "SELECT name FROM customers WHERE country = 'UK' AND joined > '2020-06-01'",
    "SELECT c.name, COUNT(*) FROM customers AS c JOIN orders AS o ON o.customer_id = c.id "
    "WHERE o.total > 6 GROUP BY c.id HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC LIMIT 1",
    "SELECT country FROM customers INTERSECT SELECT country FROM customers WHERE id > 1",
    "SELECT MAX(total), AVG(total) FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE id < 3)",
    "SELECT DISTINCT album FROM items WHERE price > 5 OR quantity > 2 ORDER BY album",
)


def compiled(sql: str) -> Trajectory:
    parsed = parse(sql)
    assert isinstance(parsed, Parsed)
    trajectory = compile_query(parsed.tree)
    assert isinstance(trajectory, Trajectory)
    return trajectory


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sql", QUERIES)
def test_label_is_true_and_repair_restores(sql: str, kind: Kind, schema: Schema) -> None:
    trajectory = compiled(sql)
    for seed in range(6):
        found = perturb(trajectory, schema, seed, kind)
        assert found is not None
        assert found.kind == kind
        assert to_sql(found.trajectory) != to_sql(trajectory)
        assert check_form(found.trajectory) is None
        assert check_schema(found.trajectory, schema) is None
        repaired = apply_edits(found.trajectory, found.repair, schema)
        assert isinstance(repaired, Trajectory)
        assert to_sql(repaired) == to_sql(trajectory)
        change = sum(len(f.steps) for f in found.trajectory.frames) - sum(
            len(f.steps) for f in trajectory.frames
        )
        assert change == {"ADD": 1, "DELETE": -1, "SUBSTITUTE": 0}[kind]


def test_seed_decides(schema: Schema) -> None:
    trajectory = compiled(QUERIES[1])
    drawn = [perturb(trajectory, schema, seed) for seed in range(12)]
    assert drawn == [perturb(trajectory, schema, seed) for seed in range(12)]
    assert len({found.mistake for found in drawn if found}) > 4


def test_with_a_database_the_result_changes(shop: Database, schema: Schema) -> None:
    trajectory = compiled("SELECT COUNT(*) FROM orders")
    checked = {
        found.mistake for seed in range(8) if (found := perturb(trajectory, schema, seed, "ADD", shop))
    }
    free = {found.mistake for seed in range(8) if (found := perturb(trajectory, schema, seed, "ADD"))}
    assert checked == {"add groupby"}
    assert free > checked


def test_identity_has_nothing_to_repair(schema: Schema) -> None:
    trajectory = compiled(QUERIES[0])
    assert perturb(trajectory, schema, 1, "NONE") == identity(trajectory)
    assert identity(trajectory).repair == ()


def test_nothing_to_delete(schema: Schema) -> None:
    assert perturb(compiled("SELECT name FROM customers"), schema, 1, "DELETE") is None
