"""What a loop proposed, by who wrote it, and what became of it."""

from collections.abc import Callable

from critiql.evals.report.proposals import Proposals, proposals
from critiql.evals.report.rows import Entry, rows_of
from critiql.evals.report.table import markdown
from critiql.evals.run.store import Run, Store, StoredAnswer

RAN = {"ok": True}


def test_proposals_are_counted_by_origin(make_stored: Callable[..., StoredAnswer]) -> None:
    first = {"sql": "a", "origin": "actor", "correct": False}
    drawn = {"sql": "b", "origin": "actor", "correct": True, "execution": RAN}
    again = {"sql": "a", "origin": "actor", "correct": False, "execution": {"ok": False}}
    mended = {"sql": "b", "origin": "repair", "correct": True, "execution": RAN}
    answers = [
        make_stored(0, True, sql="b", candidates=[first, drawn, mended]),
        make_stored(1, False, sql="a", candidates=[first, again]),
        make_stored(2, False, sql="", candidates=[]),
    ]
    assert proposals(answers) == {
        "actor": Proposals(proposed=2, ran=1, right=1, answered=1),
        "repair": Proposals(proposed=1, ran=1, right=1, answered=0),
    }


def test_the_report_shows_proposals_and_how_far_confidence_holds(
    make_stored: Callable[..., StoredAnswer], make_run: Callable[..., Run]
) -> None:
    pool = [{"sql": "a", "origin": "actor"}, {"sql": "b", "origin": "repair", "correct": True}]
    answers = [
        make_stored(0, True, sql="b", candidates=pool, confidence=0.8),
        make_stored(1, False, confidence=0.8),
        make_stored(2, True),
    ]
    text = markdown(rows_of([Entry(make_run(Store(None), "text_to_sql"), answers)]))
    assert "| text_to_sql | repair | 1 | 0 | 1 | 1 |" in text
    assert "| text_to_sql | 2 | 0.340 | 0.250 | 0.80: 50.0 % (2) |" in text
