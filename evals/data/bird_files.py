"""Scoring of any system's predictions in the official file format of BIRD.

Gold is a line a question, `SQL TAB database`. Predictions are a JSON object whose values count in their
order, each `SQL TAB ----- bird ----- TAB database` or plain SQL. Difficulties stand in the file of questions.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from critiql.evals.data.official_files import Pair, ScoreError, paired, read_lines
from critiql.evals.data.predictions import BIRD_MARK
from critiql.evals.metrics.bird import bird_scores
from critiql.evals.metrics.bird_summary import Scored


def read_bird_pairs(gold: Path, predictions: Path) -> list[Pair]:
    """Read BIRD's gold file and a file of predictions, JSON or one SQL a line.

    Raises:
        ScoreError: a file is missing or malformed, or they differ in length.
    """
    found = _queries(predictions) if predictions.suffix == ".json" else read_lines(predictions)
    return paired(gold, predictions, found)


def read_difficulties(questions: Path, pairs: Sequence[Pair]) -> list[str | None]:
    """The difficulty of each pair, from BIRD's file of questions (`.json` or `.jsonl`).

    Raises:
        ScoreError: the file cannot be read, or is of other questions.
    """
    text = "\n".join(read_lines(questions))
    try:
        rows = _objects(text, lines=questions.suffix == ".jsonl")
    except ValueError as error:
        raise ScoreError(f"{questions} holds no questions ({error}).") from error
    if [row.get("db_id") for row in rows] != [pair.db_id for pair in pairs]:
        raise ScoreError(
            f"{questions} has {len(rows)} questions, and not those of the gold file's {len(pairs)} lines. "
            "Question n must be that of line n; give the file that came with the gold queries."
        )
    return [row.get("difficulty") for row in rows]


def bird_judgements(
    pairs: Sequence[Pair],
    difficulties: Sequence[str | None],
    folder: Path,
    *,
    seconds: float = 30.0,
    repeats: int = 0,
) -> Iterator[Scored]:
    """Score the pairs one after another, on `folder/db_id/db_id.sqlite`."""
    for pair, difficulty in zip(pairs, difficulties, strict=True):
        database = folder / pair.db_id / f"{pair.db_id}.sqlite"
        score = bird_scores(pair.gold, pair.prediction, database, seconds=seconds, repeats=repeats)
        yield Scored(score, difficulty, repeats > 0)


def _queries(file: Path) -> list[str]:
    """The queries of a JSON file in its order; what is no text is no query, as officially."""
    try:
        rows: Any = json.loads("\n".join(read_lines(file)))
    except ValueError as error:
        raise ScoreError(f"{file} is no JSON ({error}). Give an object from question to SQL.") from error
    if not isinstance(rows, dict):
        raise ScoreError(f"{file} holds no JSON object. Give an object from question to SQL.")
    return [value.partition(BIRD_MARK)[0] if isinstance(value, str) else "" for value in rows.values()]


def _objects(text: str, *, lines: bool) -> list[Mapping[str, Any]]:
    rows: Any = (
        [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is no list of objects")
    return rows
