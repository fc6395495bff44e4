"""p, q and s of a loop as it ran, and Theorem 1 beside what was measured."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from critiql.evals.fit.theory import Rates, accuracy
from critiql.evals.report.loop_rates import loop_rates
from critiql.evals.report.rows import Entry, rows_of
from critiql.evals.report.table import markdown
from critiql.evals.run.store import Run, Store, StoredAnswer

LOOPS: Sequence[tuple[bool, ...]] = (
    (True,),  # right, accepted
    (False,),  # wrong, accepted
    (True, False, True),  # right and rejected, wrong and rejected, the third unchecked
    (False, True),  # wrong and rejected, right and accepted
)


@pytest.fixture
def entry(make_run: Callable[..., Run], make_stored: Callable[..., StoredAnswer]) -> Callable[..., Entry]:
    def made(system: str, **settings: Any) -> Entry:
        answers = [
            make_stored(index, loop[-1], candidates=[{"origin": "actor", "correct": right} for right in loop])
            for index, loop in enumerate(LOOPS)
        ]
        return Entry(make_run(Store(None), system, **settings), answers)

    return made


def test_rates_are_counted_and_the_theorem_stands_beside_the_measure(entry: Callable[..., Entry]) -> None:
    found = loop_rates(entry("ac_sql", z=3))
    assert found is not None
    p, q, s = 0.5, 1 / 3, 1 / 3
    assert (found.p.value, found.p.n) == (p, 4)
    assert found.q.value == pytest.approx(q)
    assert found.q.n == 3
    assert found.s.value == pytest.approx(s)
    assert found.s.n == 3
    assert found.predicted == pytest.approx([accuracy(Rates(p, q, s), n) for n in (1, 2, 3)])
    assert [measured.value for measured in found.measured] == [0.5, 0.5, 0.75]


def test_only_the_theorem_s_loop_has_rates_and_the_report_shows_them(entry: Callable[..., Entry]) -> None:
    assert loop_rates(entry("self_debugging")) is None
    text = markdown(rows_of([entry("ac_sql", z=3), entry("self_debugging")]))
    (line,) = [line for line in text.splitlines() if "50.0, 50.0, 75.0" in line]
    assert line.startswith("| ac_sql z=3 | 0.500 | 0.333 | 0.333 | 0.667 |")
