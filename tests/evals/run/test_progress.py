from collections.abc import Callable

from critiql.evals.run.progress import Progress
from critiql.evals.run.store import Run, Store, StoredAnswer


def test_the_line_says_accuracy_with_interval_pace_and_what_is_left(
    make_run: Callable[..., Run], make_stored: Callable[..., StoredAnswer]
) -> None:
    run = make_run(Store(None))
    progress = Progress(left=3)
    progress.count(run, [make_stored(0, True), make_stored(1, False), make_stored(2, False, status="error")])
    progress.add(run, make_stored(2, True))
    progress.add(run, make_stored(3, None))
    assert progress.line().startswith("a 66.7% [20.8%, 93.9%] of 3 | ")
    assert ", 1 left, about " in progress.line()
    progress.add(run, make_stored(4, False, status="error"))
    assert progress.line().startswith("a 50.0% [15.0%, 85.0%] of 4, 1 failed | ")
