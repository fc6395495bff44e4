import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from critiql.cli.evals.score import eval_score

app = typer.Typer()
app.command()(eval_score)

GOLD = ["SELECT title FROM item", "SELECT title FROM item WHERE price > 16", "SELECT name FROM maker"]


@pytest.fixture
def files(tmp_path: Path, own_shop: Path) -> tuple[Path, Path, Path]:
    """Gold file, prediction file and database folder."""
    folder = tmp_path / "database/shop"
    folder.mkdir(parents=True)
    own_shop.rename(folder / "shop.sqlite")
    gold, pred = tmp_path / "gold.sql", tmp_path / "pred.sql"
    gold.write_text("".join(f"{sql}\tshop\n" for sql in GOLD), "utf-8")
    pred.write_text("select title from item\tshop\n\nDROP TABLE maker\n", "utf-8")
    return gold, pred, folder.parent


def score(files, *more: str):
    gold, pred, db = map(str, files)
    return CliRunner().invoke(app, ["--gold", gold, "--pred", pred, "--db", db, *more])


def test_json_holds_every_verdict(files):
    result = score(files, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["overall"]["n"] == 3
    assert found["overall"]["accuracy"] == pytest.approx(1 / 3, abs=1e-5)
    assert found["overall"]["standard_error"] == pytest.approx(0.272166)
    assert found["by_hardness"]["easy"]["n"] == 3
    assert [verdict["reason"] for verdict in found["verdicts"]] == ["equal", "empty", "denied"]
    assert found["metric"] == "execution_accuracy"


def test_suite_compat_and_switches_are_said(files):
    found = json.loads(score(files, "--json", "--suite", "--compat", "--keep-distinct").stdout)
    assert found["metric"] == "test_suite_accuracy"
    said = {"compat": True, "keep_distinct": True, "plug_value": False, "decimals": None, "seconds": 30.0}
    assert found["rules"] == said


def test_table_for_people(files):
    result = score(files)
    assert result.exit_code == 0
    assert "33.3" in result.stdout


def test_gold_that_fails_is_counted(files):
    files[0].write_text("".join(f"{sql}\tshop\n" for sql in ["SELECT nothing", *GOLD[1:]]), "utf-8")
    assert json.loads(score(files, "--json").stdout)["gold_errors"] == 1
    assert "gold queries fail" in " ".join(score(files).stdout.split())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda gold, pred, db: pred.write_text("SELECT 1\n", "utf-8"), "3 lines and"),
        (lambda gold, pred, db: pred.write_text("SELECT 1\n" * 5, "utf-8"), "has 5"),
        (lambda gold, pred, db: pred.unlink(), "cannot be read"),
        (lambda gold, pred, db: pred.write_bytes(b"\xff\n"), "not UTF-8"),
        (lambda gold, pred, db: gold.write_text("SELECT 1 shop\n" * 3, "utf-8"), "Line 1 of"),
        (lambda gold, pred, db: gold.write_text("SELECT 1\tgone\n" * 3, "utf-8"), "gone/gone.sqlite"),
        (lambda gold, pred, db: db.rename(db.with_name("moved")), "There is no folder"),
    ],
)
def test_mistakes_end_with_a_sentence_and_code_2(files, change, message):
    change(*files)
    result = score(files, "--json")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split()).replace(" - ", "-")
    assert result.stdout == ""


PREDICTED = Path(__file__).parents[2] / "fixtures/evals/bird/predictions.json"


def score_bird(bird: Path, *more: str, pred: Path = PREDICTED):
    files = ("--gold", bird / "dev_gold.sql", "--pred", pred, "--db", bird / "dev_databases")
    return CliRunner().invoke(app, [*map(str, files), "--bird", *more])


def test_birds_scores_by_difficulty(bird):
    result = score_bird(bird, "--questions", str(bird / "dev.json"), "--json")
    assert result.exit_code == 0, result.stderr
    groups = json.loads(result.stdout)["groups"]
    assert {name: group["EX"]["accuracy"] for name, group in groups.items()} == {
        "simple": 1.0,
        "moderate": 0.0,
        "challenging": 0.5,
        "all": 0.5,
    }
    assert groups["moderate"]["Soft-F1"]["accuracy"] == pytest.approx((0 + 2 / 3) / 2, abs=1e-5)
    assert groups["all"]["R-VES"] is None


def test_birds_efficiency_is_timed_where_asked_for(bird):
    (all_rows,) = json.loads(score_bird(bird, "--repeats", "5", "--json").stdout)["groups"].values()
    assert 0 < all_rows["R-VES"]["accuracy"] <= 0.5 * 1.25**0.5 + 1e-6
    shown = score_bird(bird, "--repeats", "5").stdout
    assert "R-VES" in shown
    assert "50.0" in shown


def test_mistakes_with_birds_files_are_explained(bird, tmp_path):
    short, text = tmp_path / "short.json", tmp_path / "list.json"
    short.write_text('{"0": "SELECT 1"}', "utf-8")
    text.write_text("[1]", "utf-8")
    for pred, message in ((short, "has 6 lines and"), (text, "no JSON object")):
        result = score_bird(bird, pred=pred)
        assert (result.exit_code, message in " ".join(result.stderr.split())) == (2, True)
    assert "are Spider's" in " ".join(score_bird(bird, "--suite").stderr.split())
    other = score_bird(bird, "--questions", str(text))
    assert (other.exit_code, "no list of objects" in " ".join(other.stderr.split())) == (2, True)
