"""Scoring of any system's predictions in the official file format of Spider."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from critiql.evals.metrics.execution_accuracy import CLEAN, Rules, Verdict, judge
from critiql.evals.metrics.hardness import HARDNESS, hardness
from critiql.evals.metrics.test_suite import suite
from critiql.evals.statistics import Estimate, proportion
from critiql.tools.exceptions import USAGE, CritiqlError


class ScoreError(CritiqlError):
    """The files cannot be scored. The message says what happened, why, and what to do."""

    exit_code = USAGE


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of both files."""

    gold: str
    prediction: str
    db_id: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A pair's verdict."""

    index: int
    """Position from 0."""
    db_id: str
    hardness: str
    """`unknown` where the gold query does not parse."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Scores:
    """Accuracy overall and by hardness, pairs whose gold query fails counted as wrong and by themselves."""

    overall: Estimate
    by_hardness: dict[str, Estimate]
    gold_errors: int
    judgements: tuple[Judgement, ...]


def read_pairs(gold: Path, predictions: Path) -> list[Pair]:
    """Read a gold file of `sql TAB db_id` and a prediction file of one SQL a line.

    Blank lines at the end are dropped; a blank prediction before that is an empty prediction.

    Raises:
        ScoreError: a file is missing, a gold line is malformed, or the files differ in length.
    """
    return paired(gold, predictions, read_lines(predictions))


def paired(gold: Path, predictions: Path, found: list[str]) -> list[Pair]:
    """Pair the lines of a gold file with queries; those of a file of one SQL a line may end in blank ones.

    Raises:
        ScoreError: the gold file is missing or malformed, or there are more or fewer queries.
    """
    golds = read_lines(gold)
    while len(found) > len(golds) and not found[-1].strip():
        found.pop()
    while golds and not golds[-1].strip():
        golds.pop()
    if len(found) < len(golds) or any(line.strip() for line in found[len(golds) :]):
        raise ScoreError(
            f"{gold} has {len(golds)} lines and {predictions} has {len(found)}. Line n of one must answer "
            "line n of the other; give an empty line where there is no prediction."
        )
    return [_pair(i, g, p, gold) for i, (g, p) in enumerate(zip(golds, found, strict=False))]


def databases_of(pairs: Sequence[Pair], folder: Path, *, whole_suite: bool) -> dict[str, tuple[Path, ...]]:
    """The files to run each database's pairs on, in the layout `folder/db_id/db_id.sqlite`.

    Raises:
        ScoreError: the folder or a database is missing.
    """
    if not folder.is_dir():
        raise ScoreError(
            f"There is no folder {folder}. --db names the folder that holds one folder a database."
        )
    names = sorted({pair.db_id for pair in pairs})
    missing = [name for name in names if not (folder / name / f"{name}.sqlite").is_file()]
    if missing:
        raise ScoreError(
            f"{len(missing)} of {len(names)} databases are missing below {folder}: {', '.join(missing[:5])}"
            f"{', ...' if len(missing) > 5 else ''}. Expected {missing[0]}/{missing[0]}.sqlite."
        )
    if whole_suite:
        return {name: suite(folder / name) for name in names}
    return {name: (folder / name / f"{name}.sqlite",) for name in names}


def judgements(
    pairs: Sequence[Pair], databases: dict[str, tuple[Path, ...]], rules: Rules = CLEAN
) -> Iterator[Judgement]:
    """Judge the pairs one after another."""
    for index, pair in enumerate(pairs):
        verdict = judge(pair.gold, pair.prediction, databases[pair.db_id], rules)
        yield Judgement(index, pair.db_id, hardness(pair.gold) or "unknown", verdict)


def scores(judged: Sequence[Judgement]) -> Scores:
    """Sum verdicts up."""
    levels = [level for level in (*HARDNESS, "unknown") if any(j.hardness == level for j in judged)]
    return Scores(
        overall=_share(judged),
        by_hardness={level: _share([j for j in judged if j.hardness == level]) for level in levels},
        gold_errors=sum(j.verdict.reason == "gold_error" for j in judged),
        judgements=tuple(judged),
    )


def _share(judged: Sequence[Judgement]) -> Estimate:
    return proportion(sum(j.verdict.correct for j in judged), len(judged))


def read_lines(file: Path) -> list[str]:
    """The lines of a file.

    Raises:
        ScoreError: it cannot be read as UTF-8 text.
    """
    try:
        lines = file.read_text("utf-8").split("\n")
    except OSError as error:
        raise ScoreError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ScoreError(f"{file} is not UTF-8 text (byte {error.start}). Convert it first.") from error
    return lines[:-1] if lines[-1] == "" else lines


def _pair(index: int, gold: str, prediction: str, file: Path) -> Pair:
    fields = gold.strip().split("\t")
    if len(fields) != 2:
        raise ScoreError(
            f"Line {index + 1} of {file} has {len(fields)} fields; it must be SQL, a tab, a database."
        )
    # what follows a tab in a prediction is ignored, as by the official script
    return Pair(fields[0], prediction.strip().split("\t")[0], fields[1])
