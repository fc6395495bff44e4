"""The detection report: what each detector holds of the same queries, with a model that follows a script."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.agent.detect.semantic import detector_of
from critiql.evals.data.item import Item
from critiql.evals.detect.report import DETECTORS, Looked, Said, look, report, verdict
from critiql.evals.detect.style_baseline import style_scores
from critiql.evals.detect.subjects import Subject, first_predictions, labelled_bugs, readings_of
from critiql.evals.run.store import StoredAnswer
from critiql.tools.errors.head import HeadError
from critiql.tools.models.model import ModelError, Prompt

RIGHT = "SELECT COUNT(*) FROM item"
WRONG = "SELECT COUNT(*) FROM item WHERE price > 50"
CONDITION_ERROR = 9


@pytest.fixture
def subjects(shop: Path) -> list[Subject]:
    def one(index: int, sql: str, wrong: bool, **more: Any) -> Subject:
        question = "How many items are there?"
        level = "easy" if index % 2 else "hard"
        return Subject(index, "shop", question, sql, wrong, difficulty=level, database=shop, **more)

    condition = frozenset({"condition_error"})
    return [
        one(0, RIGHT, False, p_true=0.9),
        one(1, WRONG, True, types=condition, p_true=0.7),
        one(2, "SELECT titel FROM item", True),
        one(3, "no query at all", True),
        one(4, "SELECT COUNT(*) FROM item WHERE price > 60", True, types=condition, p_true=0.2),
    ]


@pytest.fixture
def model(scripted: Callable[..., Any], showing: Callable[..., None]) -> Any:
    """Accuses one of the two wrong conditions by its head, and the other one in words."""
    made = scripted()
    showing(made, lambda prompt: [CONDITION_ERROR] if "price > 50" in prompt.request else [0])
    generate = made.generate

    def write(prompt: Prompt, *given: Any) -> Any:
        made.texts = ["[ERR_09]" if "price > 60" in prompt.request else "[ERR_00]"]
        return generate(prompt, *given)

    made.generate = write
    return made


def test_every_detector_on_the_same_queries(subjects: list[Subject], model: Any, head_file: Path) -> None:
    steps: list[int] = []
    kinds = [detector_of("head", model, str(head_file)), detector_of("prompt", model)]
    looked = look(subjects, kinds, Context(model="scripted"), lambda: steps.append(1))
    assert len(steps) == 5
    found = report(looked, DETECTORS, threshold=0.5)
    assert (found.n, found.wrong, found.labelled) == (5, 4, 2)
    assert found.unread == {"head": 1, "prompt": 1}
    cells = {
        row.detector: (
            row.detection.true_positives,
            row.detection.false_positives,
            row.detection.true_negatives,
            row.detection.false_negatives,
        )
        for row in found.rows
    }
    assert cells == {
        "rules": (2, 0, 1, 2),
        "execution": (2, 0, 1, 2),
        "head": (1, 0, 1, 3),
        "both": (3, 0, 1, 1),
        "p_true": (3, 0, 1, 1),
        "prompt": (1, 0, 1, 3),
    }
    by_name = {row.detector: row for row in found.rows}
    types = by_name["head"].types
    assert types is not None
    assert types.by_type["condition_error"].value == 0.5
    assert found.accuracy["hard"].value == pytest.approx(1 / 3)
    assert by_name["both"].by_difficulty["easy"].n == 2
    assert found.critics["null_token"].value == pytest.approx(0.75)
    assert found.critics["p_true"].value == 1.0


def test_a_model_that_cannot_read_a_query_found_nothing_there(
    subjects: list[Subject], model: Any, head_file: Path
) -> None:
    def failing(prompt: Prompt) -> Any:
        raise ModelError("the prompt does not fit")

    model.hidden_state = failing
    looked = look(subjects[:2], [detector_of("head", model, str(head_file))], Context(model="scripted"))
    assert report(looked, ["head"]).unread == {"head": 2}
    model.hidden_state = lambda prompt: (_ for _ in ()).throw(HeadError("another width"))
    with pytest.raises(HeadError):
        look(subjects[:1], [detector_of("head", model, str(head_file))], Context(model="scripted"))


def test_without_a_database_nothing_is_run_and_no_row_is_shown(
    shop: Path, model: Any, head_file: Path
) -> None:
    from critiql.tools.database.open import get_database

    schema = get_database(str(shop)).schema()
    subject = Subject(0, "shop", "How many?", WRONG, True, schema=schema)
    (one,) = look([subject], [detector_of("head", model, str(head_file))], Context(model="scripted"))
    assert one.executes is None
    assert one.said["head"].types == {"condition_error"}
    (_, prompt, _) = model.asked[0]
    assert "Running it gave: not run" in prompt.request
    assert "chair" not in prompt.prefix
    assert verdict("execution", one) is None


def test_first_predictions_take_the_reading_of_another_run(
    shop: Path, make_stored: Callable[..., StoredAnswer]
) -> None:
    first = {"id": 0, "sql": RIGHT, "correct": True}
    later = {"id": 1, "sql": WRONG, "correct": False}
    item = Item("tiny", 0, "shop", shop, "How many?", RIGHT, evidence="All of them.", difficulty="easy")
    judged = make_stored(0, True, candidates=[{**first, "p_true": 0.8}, later])
    answers = [
        make_stored(0, False, candidates=[first, later]),
        make_stored(0, None, candidates=[{**first, "correct": None}]),
        make_stored(7, True, candidates=[first]),
        make_stored(0, False, status="error"),
    ]
    (subject,) = first_predictions(answers, {0: item}, readings_of([[judged]]))
    assert (subject.sql, subject.wrong, subject.p_true) == (RIGHT, False, 0.8)
    assert subject.asked == "How many?\nEvidence: All of them."


def test_nl2sql_bugs_come_with_their_types(tmp_path: Path) -> None:
    folder = tmp_path / "nl2sql_bugs"
    folder.mkdir()
    table = {
        "name": "t",
        "columns": [{"name": "a", "type": "TEXT", "notnull": 0}],
        "primary_keys": ["a"],
        "foreign_keys": [],
    }
    import json

    (folder / "schema_dev.json").write_text(json.dumps({"d": {"tables": {"t": table}}}))
    extra = {"candidate": "SELECT b FROM t", "label": False, "error_types": ("Value Mismatch", "Other")}
    extra["categories"] = ("Value-Related Errors",)
    path = tmp_path / "bird/dev_databases/d/d.sqlite"
    (subject,) = labelled_bugs([Item("nl2sql-bugs", 3, "d", path, "Which?", "", extra=extra)])
    assert (subject.wrong, subject.types, subject.database) == (True, {"value_error"}, None)
    (one,) = look([subject], [], Context())
    assert one.rules == {"attribute_mismatch"}
    (row,) = report([one], ["rules"]).rows
    scores = row.by_category["Value-Related Errors"]
    # the rule calls the query wrong, and names a type of another category
    assert (scores.flagged.value, scores.named and scores.named.value) == (1.0, 0.0)


def test_style_tells_a_leak_on_databases_it_was_not_fitted_on() -> None:
    queries = ["select a from t" if n % 2 else "SELECT a FROM t" for n in range(40)]
    wrong = [bool(n % 2) for n in range(40)]
    databases = [f"d{n // 8}" for n in range(40)]
    scores = style_scores(queries, wrong, databases)
    assert scores is not None
    assert [score >= 0.5 for score in scores] == wrong
    assert style_scores(queries, wrong, ["one"] * 40) is None
    looked = [
        Looked(Subject(n, name, "", sql, bad), None, frozenset())
        for n, (sql, bad, name) in enumerate(zip(queries, wrong, databases, strict=True))
    ]
    (row,) = report(looked, ["style"]).rows
    assert row.detection.f1.value == 1.0
    assert row.auc is not None
    assert row.auc.value == 1.0


def test_a_query_nobody_judged_is_not_in_the_critics_row() -> None:
    subject = Subject(0, "d", "", RIGHT, True)
    ran = Looked(subject, True, frozenset(), {"head": Said(frozenset(), 0.4)})
    assert verdict("p_true", ran) is None
    failed = verdict("p_true", Looked(subject, False, frozenset()))
    assert failed is not None
    assert (failed.flagged, failed.score) == (True, None)
    assert report([ran], ["p_true"]).rows == []
