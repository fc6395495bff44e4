"""What the benchmark of a question's seconds makes of the moments that a process tells."""

import pytest

from critiql.evals.benchmarks.question_child import moment
from critiql.evals.benchmarks.seconds import STAGES, Took, report, stages_of

NAMES = ("asked", "grounded", "writing", "candidate", "executed", "answered", "answer")


def test_a_question_is_cut_into_stages_that_add_up() -> None:
    moments = [{"name": name, "at": 10.0 + place, "cpu": 2.0 * place} for place, name in enumerate(NAMES)]
    stages = stages_of(moments)
    assert list(stages) == list(STAGES)
    assert sum(took.wall for took in stages.values()) == moments[-1]["at"] - moments[0]["at"]
    assert stages["run, check, decide, answer"] == Took(wall=3.0, cpu=6.0)


def test_a_report_holds_medians_by_both_clocks() -> None:
    told = report("m", {"start": [{"import": Took(wall, 1.0)} for wall in (0.3, 9.0, 0.5)]})
    assert told["repeats"] == 3
    assert told["start"] == {"import": {"wall": 0.5, "cpu": 1.0}}


def test_a_moment_is_on_the_clock_that_the_parent_reads() -> None:
    first, second = moment("a"), moment("b")
    assert second["at"] == pytest.approx(first["at"], abs=1)
    assert second["cpu"] >= first["cpu"]
