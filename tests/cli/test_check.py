"""critiql check: findings in the terminal and as JSON, for one query and for a file of them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.check import underlined
from critiql.cli.main import app
from critiql.cli.screen import exit_codes
from critiql.tools.models.model import ModelError, Prompt

RUNNER = CliRunner()


def check(*arguments: str, given: str | None = None) -> tuple[int, str, str]:
    result = RUNNER.invoke(app, ["check", *arguments], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_finding_is_underlined_explained_and_comes_with_advice(shop: Path) -> None:
    code, out, _ = check("SELECT titel FROM item", "--db", str(shop))
    assert code == exit_codes.FAILED
    lines = out.splitlines()
    assert lines[0].startswith("Attribute Mismatch")
    at = next(index for index, line in enumerate(lines) if "SELECT titel" in line)
    assert lines[at + 1].index("^^^^^") == lines[at].index("titel")
    assert "Did you mean title?" in out
    assert "no such column: titel" in out


def test_nothing_found_is_exit_code_0(shop: Path) -> None:
    code, out, _ = check("SELECT title FROM item", "--db", str(shop))
    assert (code, out.strip()) == (exit_codes.OK, "No error found by the rules.")


def test_json_is_one_object(shop: Path) -> None:
    code, out, _ = check(
        "SELECT name FROM maker WHERE country = 'norway'",
        "--db", str(shop), "--question", "Who is from Norway?", "--json", "--rules-only",
    )  # fmt: skip
    document = json.loads(out)
    assert code == exit_codes.FAILED
    assert document["execution"] == {"ok": True, "rows": 0, "truncated": False}
    (finding,) = document["findings"]
    assert (finding["type"], finding["source"], finding["probability"]) == ("value_error", "rule", 1.0)
    assert document["sql"][slice(*finding["span"])] == "'norway'"
    assert "'Norway'" in finding["suggestion"]


def test_execution_off_reads_no_value_and_runs_nothing(shop: Path) -> None:
    code, out, _ = check(
        "SELECT name FROM maker WHERE country = 'norway'", "--db", str(shop), "--execution", "off", "--json"
    )
    document = json.loads(out)
    assert (code, document["execution"], document["findings"]) == (exit_codes.OK, None, [])


def test_a_file_is_answered_line_by_line(shop: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"db": str(shop), "question": "", "sql": "SELECT titel FROM item"}),
        "not json",
        json.dumps({"db": str(tmp_path / "none.sqlite"), "sql": "SELECT 1"}),
        json.dumps({"question": "no sql"}),
        json.dumps({"db": str(shop), "sql": "SELECT title FROM item"}),
    ]
    file = tmp_path / "queries.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    code, out, _ = check("--file", str(file))
    documents = [json.loads(line) for line in out.splitlines()]
    assert code == exit_codes.OK
    assert [document["line"] for document in documents] == [1, 2, 3, 4, 5]
    assert documents[0]["findings"][0]["type"] == "attribute_mismatch"
    assert "not JSON" in documents[1]["error"]
    assert "none.sqlite" in documents[2]["error"]
    assert 'no text "sql"' in documents[3]["error"]
    assert documents[4]["findings"] == []


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("please list all items", "not_sql"),
        ("SELECT 1; SELECT 2", "several_statements"),
        ("DROP TABLE item", "not_a_query"),
        ("SELECT TOP 3 title FROM item", "wrong_dialect"),
        ("SELECT title FROM", "syntax"),
    ],
)
def test_bad_input_is_a_typed_finding(sql: str, kind: str, shop: Path) -> None:
    code, out, _ = check(sql, "--db", str(shop), "--json")
    (finding,) = json.loads(out)["findings"]
    assert (code, finding["type"], finding["slots"]["kind"]) == (exit_codes.FAILED, "unreadable", kind)


def test_a_megabyte_from_standard_input_is_refused(shop: Path) -> None:
    code, out, _ = check("-", "--db", str(shop), "--json", given="SELECT " + "x" * 1_000_000)
    assert json.loads(out)["findings"][0]["slots"]["kind"] == "too_large"
    assert code == exit_codes.FAILED


def test_wrong_usage_and_a_missing_database_say_so(shop: Path, tmp_path: Path) -> None:
    code, _, err = check()
    assert (code, "--file" in err) == (exit_codes.USAGE, True)
    code, _, err = check("SELECT 1", "--db", str(tmp_path / "none.sqlite"))
    assert (code, "none.sqlite" in err) == (exit_codes.DATABASE, True)
    code, _, err = check("--file", str(tmp_path / "none.jsonl"))
    assert (code, "cannot be read" in err) == (exit_codes.USAGE, True)


def test_the_underline_stays_under_its_text_in_a_long_line() -> None:
    sql = "SELECT " + "a, " * 200 + "wrong, " + "b, " * 200 + "c FROM t"
    start = sql.index("wrong")
    text, marks = underlined(sql, start, start + 5)
    assert len(text) <= 100
    assert text[marks.index("^") : marks.index("^") + 5] == "wrong"
    text, marks = underlined("SELECT a\nFROM \x1b[31mt", 14, 18)
    assert "\x1b" not in text
    assert (text[:5], marks) == ("FROM ", "     ^^^^")


def test_the_command_needs_neither_a_model_nor_a_graph() -> None:
    import subprocess

    heavy = ("langgraph", "langchain", "llama_cpp", "numpy")
    program = f"import sys, critiql.cli.check; print([m for m in sys.modules if m.startswith({heavy})])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


QUESTION = "How many items are there?"
WRONG = "SELECT COUNT(*) FROM item WHERE price > 50"
CONDITION_ERROR = 9


def test_a_model_with_a_head_looks_too(
    shop: Path, scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path
) -> None:
    showing(scripted(), lambda prompt: [CONDITION_ERROR] if "> 50" in prompt.request else [0])
    model = ("--model", "scripted", "--head", str(head_file), "--db", str(shop), "--question", QUESTION)
    code, out, _ = check(WRONG, *model, "--json")
    document = json.loads(out)
    assert (code, document["detectors"]) == (exit_codes.FAILED, ["rules", "head"])
    (finding,) = document["findings"]
    assert (finding["type"], finding["source"], finding["span"]) == ("condition_error", "head", None)
    assert finding["probability"] == pytest.approx(0.9933, abs=1e-4)
    assert check("SELECT COUNT(*) FROM item", *model)[:2] == (
        exit_codes.OK,
        "No error found by the rules and the head.\n",
    )
    _, out, _ = check(WRONG, *model)
    assert "head, 99% sure" in out
    assert json.loads(check(WRONG, *model, "--rules-only", "--json")[1])["detectors"] == ["rules"]


def test_a_file_with_a_model_and_a_query_it_fails_on(
    shop: Path, tmp_path: Path, scripted: Callable[..., Any]
) -> None:
    model = scripted(["[ERR_09]"])
    generate = model.generate

    def failing(prompt: Prompt, *given: Any) -> Any:
        if "lamp" in prompt.request.partition("Question:")[2]:
            raise ModelError("the prompt does not fit")
        return generate(prompt, *given)

    model.generate = failing
    file = tmp_path / "queries.jsonl"
    rows = [WRONG, "SELECT id FROM item WHERE title = 'lamp'", "no query"]
    file.write_text("\n".join(json.dumps({"db": str(shop), "sql": sql}) for sql in rows), encoding="utf-8")
    code, out, _ = check("--file", str(file), "--model", "scripted", "--detector", "prompt")
    first, second, third = (json.loads(line) for line in out.splitlines())
    assert code == exit_codes.OK
    assert [f["source"] for f in first["findings"]] == ["prompt"]
    assert (second["findings"], second["note"]) == ([], "The rules stand alone: the prompt does not fit")
    assert [f["type"] for f in third["findings"]] == ["unreadable"]


def test_a_model_without_a_head_leaves_the_rules_and_says_so(
    shop: Path, scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path
) -> None:
    model = scripted()
    showing(model, lambda prompt: [])
    code, out, err = check(WRONG, "--db", str(shop), "--model", "scripted", "--json")
    assert (code, json.loads(out)["detectors"]) == (exit_codes.OK, ["rules"])
    assert "No error-token head is shipped for scripted" in err
    model.fingerprint = "another"
    code, _, err = check(WRONG, "--db", str(shop), "--model", "scripted", "--head", str(head_file))
    assert (code, "was trained for the model" in err) == (exit_codes.MODEL, True)
    code, _, err = check(WRONG, "--db", str(shop), "--head", str(head_file))
    assert (code, "--model" in err) == (exit_codes.USAGE, True)
    code, _, err = check(WRONG, "--db", str(shop), "--model", "no-such-model")
    assert (code, "no-such-model" in err) == (exit_codes.MODEL, True)
