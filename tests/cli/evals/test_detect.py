"""`critiql eval detect` on a small store, in Spider's layout."""

import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.evals import detect as eval_detect
from critiql.cli.evals.app import app
from critiql.evals.run.store import RunSpec, Store, StoredAnswer
from critiql.tools.settings import settings

pytestmark = pytest.mark.whole

RIGHT = "SELECT COUNT(*) FROM item"
WRONG = "SELECT COUNT(*) FROM item WHERE price > 50"
FINDING = [{"type": "condition_error", "source": "head", "probability": 0.9}]


@pytest.fixture
def store(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs on eight questions of two databases; every second first query is wrong, one is repaired."""
    data = tmp_path / "data/spider"
    for name in ("one", "two"):
        folder = data / "database" / name
        folder.mkdir(parents=True)
        shutil.copy(shop, folder / f"{name}.sqlite")
    rows = [
        {"db_id": ("one", "two")[n // 4], "question": "How many items are there?", "query": RIGHT}
        for n in range(8)
    ]
    (data / "dev.json").write_text(json.dumps(rows))
    monkeypatch.setenv("CRITIQL_DATA", str(tmp_path / "data"))
    settings.cache_clear()
    path = tmp_path / "store.sqlite"
    with Store(path) as opened:
        for system in ("single_shot", "text_to_sql", "error_llm"):
            run = opened.begin(RunSpec(system, "spider-dev", "m", "m", {}, {}, "c"), "commit", "machine", "")
            for n in range(8):
                opened.add(run, answer(system, n))
    return path


def answer(system: str, n: int) -> StoredAnswer:
    wrong = n % 2 == 1
    first: dict[str, Any] = {"id": 0, "sql": WRONG if wrong else RIGHT, "correct": not wrong}
    if system == "text_to_sql":
        first["p_true"] = 0.2 if wrong else 0.9
    pool = [first]
    if system == "error_llm" and wrong:
        first["findings"] = FINDING
        pool += [{"id": 1, "sql": RIGHT, "correct": True}] if n == 1 else []
    sql, correct = pool[-1]["sql"], pool[-1]["correct"]
    usage = {"actor": {"calls": 1, "prompt": 100, "cached": 0, "generated": 10, "seconds": 1.0}}
    counts: dict[str, Any] = {"model_calls": 1, "seconds": 1.0, "model_seconds": 1.0, "usage": usage}
    known: dict[str, Any] = {"status": "unverified", "stopped": "unchecked", "suite_correct": None}
    known |= {"difficulty": "easy", "confidence": None, "candidates": pool}
    return StoredAnswer(n, ("one", "two")[n // 4], sql, correct=correct, **known, **counts)


def detect(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["detect", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_all_detectors_and_the_repair_of_a_run(
    store: Path,
    scripted: Callable[..., Any],
    showing: Callable[..., None],
    head_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(eval_detect, "cached_models", lambda *_: nullcontext())
    showing(scripted(["[ERR_00]"]), lambda prompt: [9] if "> 50" in prompt.request else [0])
    code, out, err = detect(
        str(store), "--model", "scripted", "--head", str(head_file),
        "--calls", str(tmp_path / "calls.sqlite"),
        "--detectors", "rules,execution,head,both,p_true,prompt,style", "--repair", "error_llm", "--json",
    )  # fmt: skip
    assert code == 0, err
    document = json.loads(out)
    assert (document["n"], document["wrong"], document["labelled"]) == (8, 4, 4)
    f1 = {row["detector"]: row["detection"]["f1"]["value"] for row in document["rows"]}
    assert (f1["head"], f1["both"], f1["p_true"], f1["prompt"]) == (1.0, 1.0, 1.0, 0.0)
    head = next(row for row in document["rows"] if row["detector"] == "head")
    assert head["types"]["by_type"]["condition_error"]["value"] == 1.0
    assert document["critics"]["null_token"]["n"] == 8
    assert document["repair"]["scores"]["fixed_rate"]["value"] == 0.25
    code, out, _ = detect(str(store), "--repair", "error_llm", "--limit", "4")
    assert code == 0
    assert "4 queries, 2 wrong, labels explain 2 of these" in out
    assert "D-F1" in out
    assert "Repair, 4 questions" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.sqlite"], "There is no store or export absent.sqlite"),
        (["nl2sql-bugs", "--repair", "x"], "nl2sql-bugs has none"),
        (["nl2sql-bugs"], "nl2sql-bugs cannot be measured"),
        (["x", "--detectors", "rules,magic"], "There is no detector magic"),
    ],
)
def test_wrong_usage_is_a_sentence(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRITIQL_DATA", raising=False)
    code, _, err = detect(*arguments)
    assert (code, message in err) == (2, True), err
