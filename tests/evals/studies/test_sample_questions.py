"""The ten questions that come with the sample database."""

import json
from pathlib import Path

import pytest

from critiql.tools.database.open import get_database, open_database
from critiql.tools.database.result import Rows
from critiql.tools.database.sample.build import build, sample_database

QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "evals/studies/sample_questions.jsonl").read_text().splitlines()
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "shop.sqlite"
    build(path)
    return path


def test_there_are_ten() -> None:
    assert len({item["question"] for item in QUESTIONS}) == 10


@pytest.mark.parametrize("item", QUESTIONS, ids=lambda item: item["question"])
def test_the_sql_of_each_gives_rows(item: dict[str, str], shop: Path) -> None:
    result = get_database(shop).run(item["sql"])
    assert isinstance(result, Rows), result
    assert result.rows


def test_the_database_is_the_same_each_time(shop: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.sqlite")
    again, first = open_database(tmp_path / "again.sqlite"), get_database(shop)
    for table in first.schema().tables:
        everything = f"SELECT * FROM {table.name}"
        one, two = first.run(everything), again.run(everything)
        assert isinstance(one, Rows)
        assert isinstance(two, Rows)
        assert one.rows == two.rows
    assert sum(table.row_count or 0 for table in first.schema().tables) > 5000


def test_it_is_made_on_first_use() -> None:
    assert sample_database().exists()
    assert sample_database() == sample_database()
