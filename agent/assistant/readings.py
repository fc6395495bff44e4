"""Two readings of one question: candidates that both stand and return different rows, told apart in words.

The words come from the queries' steps, by code: what one does and the other does not.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from critiql.agent.decide.incumbent import surprises
from critiql.agent.evidence import Candidate
from critiql.agent.wording.sentence import counted, plain
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.text import steps_in_order
from critiql.tools.trajectory.language.actions import Problem
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.steps.describe import describe

TITLES = ("A", "B")
_REGARD = {"accepted": 2, "unknown": 1, "rejected": 0}


class Reading(NamedTuple):
    """One way to understand the question."""

    candidate: Candidate
    words: str


def standing_pair(answer: Mapping[str, Any]) -> tuple[Candidate, Candidate] | None:
    """The answer's own candidate and the best other one; None where nothing needs to be asked."""
    candidates: Sequence[Candidate] = answer["candidates"]
    own = next((each for each in candidates if each["id"] == answer["incumbent"]), None)
    if own is None or not stands(own):
        return None
    rivals = [each for each in candidates if is_rival(each, own)]
    if not rivals:
        return None
    return own, max(rivals, key=lambda each: (regard(each), each.get("p_true") or 0.0))


def two_readings(answer: Mapping[str, Any], dialect: str) -> tuple[Reading, Reading] | None:
    """Both candidates in words; None where nothing needs to be asked."""
    pair = standing_pair(answer)
    if pair is None:
        return None
    own, other = pair
    return Reading(own, words_of(own, other, dialect)), Reading(other, words_of(other, own, dialect))


def stands(candidate: Candidate) -> bool:
    """Whether nothing that can be proved speaks against it: it ran, no rule found anything, no odd rows."""
    execution = candidate.get("execution")
    ran = execution is not None and execution["ok"]
    return ran and not candidate.get("findings") and not surprises(candidate)


def is_rival(other: Candidate, own: Candidate) -> bool:
    """Whether it stands, returns other rows, and the critic holds no less of it."""
    mine, theirs = own.get("execution"), other.get("execution")
    return (
        other["id"] != own["id"]
        and stands(other)
        and bool(mine and theirs and mine["rows_fingerprint"] != theirs["rows_fingerprint"])
        and regard(other) >= regard(own)
    )


def regard(candidate: Candidate) -> int:
    """What the critic holds of it."""
    return _REGARD[candidate.get("verdict", "unknown")]


def words_of(candidate: Candidate, other: Candidate, dialect: str) -> str:
    """What this query does that the other does not, and what it returns."""
    own, theirs = steps_of(candidate["sql"], dialect), steps_of(other["sql"], dialect)
    different = [step for step in own if step not in theirs] or own
    return " ".join([*(plain(step) for step in different), _returned(candidate)])


def steps_of(sql: str, dialect: str) -> list[str]:
    """The steps of a query in words; none of a query that has no steps."""
    parsed = parse(sql, dialect)
    if isinstance(parsed, ParseFailure):
        return []
    trajectory = compile_query(parsed.tree, dialect)
    if isinstance(trajectory, Problem):
        return []
    return [describe(step, frame, trajectory) for frame, _, step in steps_in_order(trajectory)]


def _returned(candidate: Candidate) -> str:
    execution = candidate.get("execution")
    if not execution:
        return ""
    count = counted(execution["row_count"], "row")
    if execution["row_count"] == 1 and len(execution["columns"]) == 1:
        return f"It returns {plain(str(execution['rows'][0][0]))}."
    return f"It returns {'more than ' if execution['truncated'] else ''}{count}."


def shown_reading(place: int, reading: Reading) -> dict[str, Any]:
    """A reading as a client shows it."""
    execution = reading.candidate.get("execution")
    return {
        "title": TITLES[place],
        "words": reading.words,
        "sql": reading.candidate["sql"],
        "columns": execution["columns"] if execution else [],
        "rows": execution["rows"] if execution else [],
        "row_count": execution["row_count"] if execution else 0,
    }
