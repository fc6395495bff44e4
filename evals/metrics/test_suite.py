"""Test-suite accuracy (Zhong et al. 2020): execution accuracy on every distilled variant of a database."""

from functools import cache
from pathlib import Path

from critiql.evals.metrics.execution_accuracy import CLEAN, Rules, Verdict, judge


def test_suite_accuracy(  # the name of the metric, no test
    gold: str,
    prediction: str,
    database: Path,
    rules: Rules = CLEAN,  # noqa: PT028
) -> Verdict:
    """Judge a pair on all variants that lie beside a database.

    Args:
        gold: the reference.
        prediction: the candidate.
        database: one file of the folder, as `test_suite_database/singer/singer.sqlite`.
        rules: how to judge.

    Raises:
        FileNotFoundError: the folder holds no database.
    """
    return judge(gold, prediction, suite(database.parent), rules)


@cache
def suite(folder: Path) -> tuple[Path, ...]:
    """The databases of a folder: every `*.sqlite`, in order of name.

    Raises:
        FileNotFoundError: there is none.
    """
    found = sorted(file for file in folder.glob("*.sqlite") if file.is_file())
    if not found:
        raise FileNotFoundError(f"There is no .sqlite file in {folder}.")
    return tuple(found)
