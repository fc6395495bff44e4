import json
import shutil
from pathlib import Path

import pytest

from critiql.evals.data.datasets import DATASETS, load
from critiql.evals.data.sampling import in_part, part_of, sample, train_sample
from critiql.tools.settings import settings

ROW = {"db_id": "shop", "question": "Which items?", "query": "SELECT title FROM item"}


@pytest.fixture
def root(tmp_path: Path, own_shop: Path) -> Path:
    """A folder in the layout of the benchmarks with the database `shop`, and `bare` without rows."""
    for folder in ("spider/database", "spider_dk/database", "bird/dev_databases"):
        (tmp_path / folder / "shop").mkdir(parents=True)
        shutil.copy(own_shop, tmp_path / folder / "shop/shop.sqlite")
    (tmp_path / "spider/database/bare").mkdir()
    (tmp_path / "spider/database/bare/bare.sqlite").touch()
    return tmp_path


def write(file: Path, rows: list) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows), "utf-8")


def test_spider_counts_what_it_leaves_out(root):
    rows = [
        ROW,
        {**ROW, "db_id": "gone"},
        {**ROW, "db_id": "bare"},
        {"db_id": "shop"},
        {**ROW, "query": " "},
        None,
    ]
    write(root / "spider/dev.json", [*rows, {**ROW, "question": "Again?"}])
    data = load("spider-dev", root)
    assert data.not_run is None
    assert [(item.index, item.question, item.difficulty) for item in data.items] == [
        (0, "Which items?", "easy"),
        (6, "Again?", "easy"),
    ]
    assert data.dropped == {
        "database missing: gone": 1,
        "database without rows: bare": 1,
        "corrupt item": 2,
        "no gold SQL": 1,
    }
    assert data.items[0].database.is_file()
    assert len(data.sources["dev.json"]) == 64


def test_train_joins_both_files(root):
    write(root / "spider/train_spider.json", [ROW])
    assert "train_others.json" in (load("spider-train", root).not_run or "")
    write(root / "spider/train_others.json", [ROW])
    assert [item.index for item in load("spider-train", root).items] == [0, 1]


def test_variants_of_spider(root):
    syn = {**ROW, "SpiderQuestion": "Which items?", "SpiderSynQuestion": "Which wares?"}
    write(root / "spider_syn/dev.json", [syn])
    write(root / "spider_dk/Spider-DK.json", [ROW])
    write(root / "spider_realistic/spider-realistic.json", [ROW])
    (item,) = load("spider-syn", root).items
    assert (item.question, item.extra["original_question"]) == ("Which wares?", "Which items?")
    assert load("spider-dk", root).items[0].database.is_relative_to(root / "spider_dk")
    assert load("spider-realistic", root).items[0].database.is_relative_to(root / "spider")


def test_bird_keeps_evidence_and_difficulty(root):
    row = {
        "question_id": 7,
        "db_id": "shop",
        "question": "Q?",
        "evidence": "E",
        "SQL": "SELECT 1",
        "difficulty": "simple",
    }
    write(root / "bird/mini_dev_sqlite.json", [row])
    (item,) = load("bird-mini-dev", root).items
    assert (item.evidence, item.difficulty, item.extra["question_id"]) == ("E", "simple", 7)
    shutil.rmtree(root / "bird/dev_databases")
    without = load("bird-mini-dev", root)
    assert len(without.items) == 1
    assert "dev_databases" in (without.not_run or "")


def test_wrong_rows_take_the_sql_of_a_right_sibling(root):
    right = {"id": 1, "question": "Q?", "db_id": "shop", "sql": "SELECT 1", "label": True, "error_types": []}
    wrong = {
        **right,
        "id": 2,
        "sql": "SELECT 2",
        "label": False,
        "error_types": [{"sub_error_type": "Value Mismatch"}],
    }
    write(root / "nl2sql_bugs/development.json", [wrong, right, {**wrong, "question": "Other?"}])
    items = load("nl2sql-bugs", root).items
    assert [item.gold for item in items] == ["SELECT 1", "SELECT 1", ""]
    assert items[0].extra["candidate"] == "SELECT 2"
    assert items[0].extra["error_types"] == ("Value Mismatch",)


def test_missing_data_is_named_and_no_error(tmp_path, monkeypatch):
    for name in DATASETS:
        data = load(name, tmp_path)
        assert not data.items
        assert data.not_run is not None
        assert str(tmp_path) in data.not_run
    monkeypatch.delenv("CRITIQL_DATA", raising=False)
    settings.cache_clear()
    assert "CRITIQL_DATA" in (load("spider-dev").not_run or "")
    with pytest.raises(ValueError, match="no data set 'spidr'"):
        load("spidr", tmp_path)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_own_questions(own_shop, suffix):
    rows = [("shop.sqlite", "Which items?", "SELECT title FROM item"), ("gone.sqlite", "Q?", "SELECT 1")]
    file = own_shop.parent / f"mine.{suffix}"
    if suffix == "csv":
        file.write_text("database,question,sql\n" + "".join(f"{d},{q},{s}\n" for d, q, s in rows), "utf-8")
    else:
        lines = [json.dumps({"database": d, "question": q, "sql": s}) for d, q, s in rows]
        file.write_text("\n".join([*lines, "not json", "[1]"]), "utf-8")
    data = load(str(file))
    assert data.name == "mine"
    assert [(i.db_id, i.database, i.gold) for i in data.items] == [
        ("shop", own_shop, "SELECT title FROM item")
    ]
    assert data.dropped["database missing: gone"] == 1
    assert data.dropped.get("corrupt item", 0) == (2 if suffix == "jsonl" else 0)
    assert "missing" in (load(str(file.with_name(f"none.{suffix}"))).not_run or "")


def items_of(root: Path, sizes: dict[str, int]) -> tuple:
    rows = [{**ROW, "db_id": db} for db, size in sizes.items() for _ in range(size)]
    for db in sizes:
        (root / "spider/database" / db).mkdir(exist_ok=True)
        shutil.copy(root / "shop.sqlite", root / "spider/database" / db / f"{db}.sqlite")
    write(root / "spider/train_spider.json", rows)
    write(root / "spider/train_others.json", [])
    return load("spider-train", root).items


def test_samples_are_stratified_and_fixed(root):
    items = items_of(root, {"a": 10, "b": 30, "c": 60})
    drawn = sample(items, 10, seed=1)
    assert {db: sum(item.db_id == db for item in drawn) for db in "abc"} == {"a": 1, "b": 3, "c": 6}
    assert drawn == sample(items, 10, seed=1)
    assert drawn != sample(items, 10, seed=2)
    assert [item.index for item in drawn] == sorted(item.index for item in drawn)
    assert sample(items, None) == list(items) == sample(items, 1000)
    assert {item.db_id for item in sample(items, 10, exclude={"c"})} == {"a", "b"}
    assert len({item.db_id for item in sample(items, 10, databases=2)}) == 2
    kept = [item for item in items if item.index % 2 == 0 or item in drawn]
    assert {item.index for item in sample(kept, 5, seed=1)} <= {item.index for item in drawn}


def test_fitting_and_validation_share_no_database(root):
    items = items_of(root, {f"db{i}": 3 for i in range(40)})
    fit, validate = (train_sample(None, 5, part=part, root=root) for part in ("fit", "validate"))
    assert not {item.db_id for item in fit} & {item.db_id for item in validate}
    assert len(fit) + len(validate) == len(items)
    assert 10 <= len({item.db_id for item in fit}) <= 30
    assert in_part(items, "fit", 5) == fit
    assert part_of("db0", 5) == part_of("db0", 5)
    with pytest.raises(ValueError, match="cannot be sampled"):
        train_sample(root=root / "nowhere")


@pytest.mark.data
def test_spider_train_as_it_is_here():
    data = load("spider-train")
    if data.not_run:
        pytest.skip(data.not_run)
    assert len(data.items) + sum(data.dropped.values()) == 8659
    assert {item.db_id for item in data.items}.isdisjoint({"soccer_1", "baseball_1"})
    assert len(train_sample(300)) == 300
