"""The measurement of the error rules, on a database of two tables."""

import json
from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.data.schema_only import bugs_schemas
from critiql.evals.studies.rule_precision import fires, labelled, main, recall

GOLDS = [
    ("Which items cost more than 18?", "SELECT title FROM item WHERE price > 18"),
    ("How many makers are from Peru?", "SELECT COUNT(*) FROM maker WHERE country = 'Peru'"),
    ("Which makers are from Norway?", "SELECT name FROM maker WHERE country = 'norway'"),
]
TABLES = {
    "item": {
        "name": "item",
        "columns": [
            {"name": "id", "type": "INTEGER", "notnull": True},
            {"name": "maker", "type": "INTEGER", "notnull": False},
        ],
        "primary_keys": ["id"],
        "foreign_keys": [{"from": "maker", "to_table": "maker", "to_column": None}],
    },
    "maker": {
        "name": "maker",
        "columns": [{"name": "id", "type": "INTEGER", "notnull": True}],
        "primary_keys": ["id"],
        "foreign_keys": [],
    },
}  # fmt: skip


def items(path: Path) -> list[Item]:
    return [Item("own", n, "shop", path, question, gold) for n, (question, gold) in enumerate(GOLDS)]


def test_fires_are_counted_by_rule(shop: Path) -> None:
    figures = fires(items(shop))
    assert figures["fires"]["count"] == 1
    assert figures["fires"]["n"] == 3
    assert figures["by_rule"] == {"absent_value": 1}
    assert figures["judged_per_second"] > 0


def test_recall_counts_verified_perturbations_alone(shop: Path) -> None:
    figures = recall(items(shop)[:2], seed=1)
    one = figures["by_type"]["condition_missing"]
    assert one["made"] == 2
    assert one["verified"] == one["found"]["n"] == 2
    assert figures["all"]["n"] == sum(found["verified"] for found in figures["by_type"].values())
    assert figures == recall(items(shop)[:2], seed=1)


def test_labelled_queries_need_their_schema_alone(tmp_path: Path) -> None:
    file = tmp_path / "nl2sql_bugs" / "schema_dev.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"shop": {"tables": TABLES}}), encoding="utf-8")
    database = tmp_path / "bird" / "dev_databases" / "shop" / "shop.sqlite"
    rows = [
        ("SELECT id FROM item", True),
        ("SELECT title FROM item", False),
        ("SELECT maker FROM item", False),
    ]
    found = [
        Item("bugs", n, "shop", database, "q", "", extra={"candidate": sql, "label": label})
        for n, (sql, label) in enumerate(rows)
    ]
    figures = labelled(found)
    assert (figures["precision"]["count"], figures["precision"]["n"]) == (1, 1)
    assert (figures["recall"]["count"], figures["recall"]["n"]) == (1, 2)


def test_a_foreign_key_without_a_column_means_the_primary_key(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps({"shop": {"tables": TABLES}}), encoding="utf-8")
    (key,) = bugs_schemas(file)["shop"].foreign_keys
    assert (key.table, key.columns, key.to_table, key.to_columns) == ("item", ("maker",), "maker", ("id",))


def test_without_data_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRITIQL_DATA", raising=False)
    with pytest.raises(SystemExit, match="CRITIQL_DATA"):
        main([])
