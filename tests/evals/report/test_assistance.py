"""What SHARE's parts proposed, and what became of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from critiql.evals.report.assistance import Assistance, assistance
from critiql.evals.report.rows import Entry, rows_of
from critiql.evals.report.table import markdown
from critiql.evals.run.export import export, open_results
from critiql.evals.run.store import Run, Store, StoredAnswer

CHANGED = {"proposals": 1, "valid": 1, "changes": ["a becomes b"], "refused": []}
RETRIED = {"proposals": 2, "valid": 1, "changes": ["delete line 2"], "refused": ["line 9: no such line"]}
NOTHING = {"proposals": 1, "valid": 1, "changes": [], "refused": []}


def assisted(sam: dict[str, Any], lom: dict[str, Any] | None) -> dict[str, Any]:
    told = {"before": "res = scan(a)", "after": "res = scan(b)", "changed": True, "sam": sam, "lom": lom}
    return {"version": 1, "type": "assisted", "id": 0, "trajectory": told}


def pool(first: bool, then: bool) -> list[dict[str, Any]]:
    return [
        {"id": 0, "sql": "a", "origin": "actor", "correct": first, "execution": {"ok": True}},
        {"id": 1, "sql": "b", "origin": "regeneration", "correct": then, "execution": {"ok": True}},
    ]


def answers(make_stored: Callable[..., StoredAnswer]) -> list[StoredAnswer]:
    left = [pool(True, False)[0]]
    return [
        make_stored(0, True, sql="b", candidates=pool(False, True), events=[assisted(CHANGED, RETRIED)]),
        make_stored(1, False, sql="b", candidates=pool(True, False), events=[assisted(CHANGED, NOTHING)]),
        make_stored(2, True, sql="a", candidates=pool(True, False), events=[assisted(NOTHING, RETRIED)]),
        make_stored(3, True, sql="a", candidates=left, events=[assisted(NOTHING, None)]),
        make_stored(4, True, sql="a", candidates=left),
    ]


EXPECTED = {
    "sam": Assistance(proposed=4, valid=4, changed=2, right=1, accepted=2, fixed=1, broken=1),
    "lom": Assistance(proposed=5, valid=3, changed=2, right=1, accepted=1, fixed=1, broken=0),
    "regeneration": Assistance(proposed=3, valid=3, changed=3, right=1, accepted=2, fixed=1, broken=1),
}


def test_parts_are_counted(make_stored: Callable[..., StoredAnswer]) -> None:
    assert assistance(answers(make_stored)) == EXPECTED
    assert assistance(answers(make_stored)[4:]) == {}


def test_an_export_keeps_them_and_the_report_shows_them(
    make_stored: Callable[..., StoredAnswer], make_run: Callable[..., Run], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store.sqlite")
    run = make_run(store, "share")
    for answer in answers(make_stored):
        store.add(run, answer)
    export(store, [run], tmp_path / "share.jsonl")
    with open_results(tmp_path / "share.jsonl") as opened:
        [again] = opened.runs()
        kept = list(opened.answers(again))
    assert assistance(kept) == EXPECTED
    assert "no such line" not in (tmp_path / "share.jsonl").read_text()
    assert "scan(" not in (tmp_path / "share.jsonl").read_text()
    assert "| share | lom | 5 | 3 | 2 | 1 | 1 | 1 | 0 |" in markdown(rows_of([Entry(again, kept)]))
