import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from critiql.cli.calibrate import calibrate
from critiql.cli.evals import run as command
from critiql.cli.evals.app import app
from critiql.evals.run import cached_models
from critiql.evals.run.store import Store
from critiql.tools.models.model import ChoiceReading, Generation, LanguageModel, Prompt, Sampling, Usage
from critiql.tools.settings import settings

pytestmark = pytest.mark.whole

QUESTIONS = 30


class Scripted:
    """Writes the right query for every question but each third; thinks little of wrong ones."""

    name, fingerprint = "scripted", "s0"

    def __init__(self) -> None:
        self.calls = 0

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        self.calls += 1
        number = next(n for n in reversed(range(QUESTIONS)) if f"number {n}?" in prompt.request)
        wrong = number % 3 == 0 and sampling.seed % 1000 < 2
        sql = f"SELECT a FROM t WHERE a >= {99 if wrong else number}"
        return Generation(sql, "stop", -1.0, Usage(50, 20, 9, 0.1))

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        self.calls += 1
        return ChoiceReading((-3.0, -0.1) if "99" in prompt.request else (-0.1, -3.0), Usage(60, 50, 0, 0.1))

    def count_tokens(self, text: str) -> int:
        return len(text) // 4


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    scripted = Scripted()
    monkeypatch.setattr(cached_models, "fingerprint", lambda spec: "s0")
    monkeypatch.setattr(command, "fingerprint", lambda spec: "s0")
    monkeypatch.setattr(cached_models, "make_model", lambda spec: scripted)
    return scripted


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six databases of one table with the numbers 0 to 39."""
    place = tmp_path_factory.mktemp("numbers")
    for name in range(6):
        with closing(sqlite3.connect(place / f"db{name}.sqlite")) as connection:
            connection.execute("create table t (a integer)")
            connection.executemany("insert into t values (?)", [(n,) for n in range(40)])
            connection.commit()
    return place


@pytest.fixture
def folder(tmp_path: Path, numbers: Path) -> Path:
    """A user's own questions on these databases."""
    rows = [
        {
            "database": str(numbers / f"db{n % 6}.sqlite"),
            "question": f"number {n}?",
            "sql": f"select a from t where a >= {n}",
        }
        for n in range(QUESTIONS)
    ]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def evaluate(folder: Path, store: str, *more: object, system: str = "single_shot") -> Result:
    options = ("--store", folder / store, "--model", "scripted", "--system", system, *more)
    return run("run", folder / "own.jsonl", *options)


def test_a_second_start_and_a_resumed_export_need_no_model(
    folder: Path, model: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(folder, "a/s.sqlite", "--limit", 12, "--export", folder / "e.jsonl.gz")
    assert first.exit_code == 0, first.output
    assert "66.7% [39.1%, 86.2%] of 12" in first.output
    assert model.calls == 12
    again = evaluate(folder, "a/s.sqlite", "--limit", 12)
    assert "0 answers to go" in again.output
    assert model.calls == 12

    def fail(spec: str) -> LanguageModel:
        pytest.fail("the model was loaded although every call was exported")

    monkeypatch.setattr(cached_models, "make_model", fail)
    elsewhere = evaluate(folder, "b/s.sqlite", "--limit", 12, "--resume", folder / "e.jsonl.gz")
    assert "12 new model calls read" in elsewhere.output
    assert "66.7% [39.1%, 86.2%] of 12" in elsewhere.output
    with Store(folder / "b" / "s.sqlite") as store:
        (kept,) = store.runs()
        assert all(answer.replayed == answer.model_calls == 1 for answer in store.answers(kept))


def test_a_budget_stops_and_the_same_command_goes_on(folder: Path, model: Scripted) -> None:
    stopped = evaluate(folder, "s.sqlite", "--seconds-budget", 0)
    assert stopped.exit_code == 0
    assert f"{QUESTIONS} left" in stopped.output
    assert f"of {QUESTIONS}" in evaluate(folder, "s.sqlite").output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--concurrency", "2"), "needs --url"),
        (("--set", "z"), "key=value"),
        (("--set", "z=99"), "less than or equal to 20"),
        (("--resume", "nothing.jsonl"), "cannot be read"),
        (("--system", "unheard_of"), "unheard_of"),
    ],
)
def test_wrong_use_is_explained(
    folder: Path, model: Scripted, options: tuple[str, ...], message: str
) -> None:
    result = evaluate(folder, "s.sqlite", *options)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_compare_and_report_read_what_run_kept(folder: Path, model: Scripted) -> None:
    assert evaluate(folder, "s.sqlite", system="single_shot").exit_code == 0
    assert evaluate(folder, "s.sqlite", "--set", "llm_critic=raw", system="ac_sql").exit_code == 0
    found = run("compare", folder / "s.sqlite", "single_shot", "ac_sql", "--json")
    comparison = json.loads(found.stdout)
    assert (len(comparison["fixed"]), comparison["broken"]) == (10, [])
    assert "fixed" in run("compare", folder / "s.sqlite", "single_shot", "ac_sql").output
    listed = run("runs", folder / "s.sqlite").output
    assert all(name in listed for name in (comparison["a"], comparison["b"]))
    exported = run("export", folder / "s.sqlite", folder / "e.jsonl", "--run", "ac_sql")
    assert "30 answers of 1 runs exported" in exported.output
    assert run("compare", folder / "e.jsonl", "ac_sql", comparison["b"]).exit_code == 0
    missing = run("compare", folder / "s.sqlite", "single_shot", "unheard_of")
    assert (missing.exit_code, "no run or system" in missing.output) == (2, True)
    assert run("report", folder / "s.sqlite", "--out", folder / "report").exit_code == 0
    assert "| ac_sql | 30 | 100.0" in (folder / "report" / "table.md").read_text()
    assert run("report", folder / "none.sqlite").exit_code == 2


def test_another_calibration_is_another_run(folder: Path, model: Scripted) -> None:
    cli = Typer()
    cli.command()(calibrate)
    options = ["--store", folder / "c.sqlite", "--model", "scripted", "--system", "ac_sql", "--z", 3]
    ours = ("--limit", 2, "--set", "llm_critic=calibrated")
    evaluate(folder, "s.sqlite", *ours, system="ac_sql")
    CliRunner().invoke(cli, [str(argument) for argument in (folder / "own.jsonl", *options)])
    evaluate(folder, "s.sqlite", *ours, system="ac_sql")
    with Store(folder / "s.sqlite") as store:
        before, after = sorted(store.runs(), key=lambda run: "calibration" in run.spec.settings)
    assert "calibration" not in before.spec.settings
    assert len(after.spec.settings["calibration"]) == 12


def test_calibrate_writes_a_file_that_the_critic_finds(folder: Path, model: Scripted) -> None:
    cli = Typer()
    cli.command()(calibrate)
    options = ["--store", folder / "s.sqlite", "--model", "scripted", "--system", "ac_sql", "--z", 3]
    arguments = [folder / "own.jsonl", *options, "--out", folder / "c.json", "--json"]
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    fit = json.loads(result.stdout)["fit"]
    assert (fit["n"], fit["databases"], fit["enabled"]) == (30, 6, True)
    assert (fit["q"]["value"], fit["s"]["value"], fit["auc"]["value"]) == (0.0, 0.0, 1.0)
    assert fit["rounds"][2]["measured"] == 1.0
    written = json.loads((folder / "c.json").read_text())
    assert (written["model"], written["enabled"], written["n"]) == ("s0", True, 30)


def test_a_panel_is_calibrated_as_a_whole(folder: Path, model: Scripted) -> None:
    cli = Typer()
    cli.command()(calibrate)
    options = ["--store", folder / "s.sqlite", "--model", "scripted", "--system", "ac_sql", "--z", 3]
    alone = [folder / "own.jsonl", *options, "--out", folder / "alone.json"]
    panel = [*alone[:-1], folder / "panel.json", "--set", 'panel=["scripted"]']
    for arguments in (alone, panel, [*alone, "--stored"], [*panel, "--stored"]):
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
    one, several = (json.loads((folder / f"{name}.json").read_text()) for name in ("alone", "panel"))
    assert one["model"] == "s0"
    assert several["model"].startswith("panel-")
    assert several["model_name"] == "scripted + scripted"
    assert one["settings"] != several["settings"], "each is fitted on the run that it judged"


def test_another_system_s_queries_come_first(folder: Path, model: Scripted) -> None:
    file = folder / "theirs.txt"
    file.write_text("".join(f"SELECT a FROM t WHERE a >= {n}\n" for n in range(QUESTIONS)))
    given = evaluate(folder, "s.sqlite", "--predictions", file, "--limit", 12)
    assert "100.0%" in given.output
    assert model.calls == 0
    assert "66.7%" in evaluate(folder, "s.sqlite", "--limit", 12).output
    with Store(folder / "s.sqlite") as store:
        first, second = store.runs()
        assert {"predictions"} == set(first.spec.settings) ^ set(second.spec.settings)
    file.write_text("SELECT 1\n")
    refused = evaluate(folder, "s.sqlite", "--predictions", file)
    assert (refused.exit_code, "no query for 29 of 30" in " ".join(refused.output.split())) == (2, True)


def test_published_graphs_ask_their_critic_unless_told_otherwise(folder: Path, model: Scripted) -> None:
    evaluate(folder, "s.sqlite", "--limit", 2, system="ac_sql")
    evaluate(folder, "s.sqlite", "--limit", 2, "--set", "llm_critic=calibrated", system="ac_sql")
    with Store(folder / "s.sqlite") as store:
        published, ours = sorted(store.runs(), key=lambda run: "llm_critic" in run.spec.settings)
        assert "llm_critic" not in published.spec.settings
        assert ours.spec.settings["llm_critic"] == "calibrated"
        assert all("llm_critic" in answer.usage for answer in store.answers(published))


class AnswersBird(Scripted):
    """Knows what is paid back only from the evidence, and writes a wrong query else."""

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        self.calls += 1
        paid = "paid back refers to status = 'A'" in prompt.request
        sql = "SELECT count(*) FROM loan WHERE status = 'A'" if paid else "SELECT branch FROM loan"
        return Generation(sql, "stop", -1.0, Usage(50, 20, 9, 0.1))


def test_bird_is_scored_as_its_authors_do(
    bird: Path, folder: Path, model: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRITIQL_DATA", str(bird.parent))
    settings.cache_clear()
    monkeypatch.setattr(cached_models, "make_model", lambda spec: AnswersBird())
    options = ("--store", folder / "b.sqlite", "--model", "scripted", "--repeats", 3)
    result = run("run", "bird-dev", *options)
    assert result.exit_code == 0, result.output
    assert "33.3%" in result.output
    with Store(folder / "b.sqlite") as store:
        answers = list(store.answers(store.runs()[0]))
    # the same set of rows is right, whatever their number; a gold query that fails makes its question wrong
    assert [a.correct for a in answers] == [False, True, True, False, False, False]
    assert [a.difficulty for a in answers][::2] == ["simple", "moderate", "challenging"]
    assert [a.soft_f1 for a in answers][1:3] == [1.0, 1.0]
    assert all(bool(a.reward) == a.correct for a in answers)
    assert run("report", folder / "b.sqlite", "--out", folder / "report").exit_code == 0
    table = (folder / "report/table.md").read_text()
    assert "| single_shot repeats" not in table
    assert "| moderate | 2 | 50.0" in table


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--metric", "bird", "--suite"), "no test suite"), (("--repeats", 5), "R-VES is a score of BIRD")],
)
def test_scores_that_do_not_exist_are_refused(
    folder: Path, model: Scripted, options: tuple[object, ...], message: str
) -> None:
    result = evaluate(folder, "s.sqlite", *options)
    assert (result.exit_code, message in " ".join(result.output.split())) == (2, True)


def test_other_scores_are_another_run(folder: Path, model: Scripted) -> None:
    for more in ((), ("--metric", "bird")):
        assert evaluate(folder, "s.sqlite", "--limit", 2, *more).exit_code == 0
    with Store(folder / "s.sqlite") as store:
        assert sorted(run.spec.settings.get("metric", "") for run in store.runs()) == ["", "bird"]
