"""What a query gave is kept until the answer, and no longer."""

from critiql.agent.kept_results import KEPT, keep, take
from critiql.tools.database.result import Failure


def test_results_are_taken_once_and_the_oldest_go() -> None:
    result = Failure("other", "it failed", 0.0)
    for number in range(KEPT + 1):
        keep({"database": "d", "started": float(number)}, "SELECT 1", result)
    assert take({"database": "d", "started": 0.0}, "SELECT 1") is None
    assert take({"database": "d", "started": 5.0}, "SELECT 2") is None
    assert take({"database": "d", "started": 5.0}, "SELECT 1") is None, "the run was closed"
    assert take({"database": "d", "started": 7.0}, "SELECT 1") is result
