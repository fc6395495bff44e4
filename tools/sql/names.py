"""How close two names are, and how a name is written so that it stays a name."""

import re

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA
from sqlglot import exp

from critiql.tools.schema.quoting import quote_name

CLOSE = 82.0
"""Score (0 to 100) from which a name may be a misspelling of another."""
SAME_WORDS = 95.0
"""Score from which two names have the same words."""
ONE_EDIT = 88.0
"""Least score of two names that are one letter, or one swap of neighbours, apart."""
CONTAINED = 84.0
"""Score of `due` and `due_date`."""
LEAD = 3.0
"""By how much the closest name must lead the next one."""
SHORT = 3
"""Two names up to this length must agree after folding: nearly every pair of them is one edit apart."""

_GENERIC = {
    "id",
    "name",
    "code",
    "type",
    "date",
    "number",
    "no",
    "num",
    "key",
    "count",
    "value",
    "title",
    "year",
    "time",
}

_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def words(name: str) -> tuple[str, ...]:
    """The words of a name, lower case and singular: `StudentIDs` and `student_id` give the same.

    >>> words("StudentIDs") == words("student_id") == ("student", "id")
    True
    """
    return tuple(_singular(word.lower()) for word in _WORD.findall(name))


def similarity(name: str, other: str, table: str = "") -> float:
    """How likely one name is a slip for the other, 0 to 100.

    100: the same words. 95: the same once the table's own name is left out (`singer_name` on singer).
    84: one has all words of the other. Otherwise the edit similarity; 0 where the digits differ (`a2` is not
    `a3`) or the first letters do (`weight` is not `height`), and for the shortest names.

    >>> similarity("singer_name", "name", table="singer")
    95.0
    >>> similarity("weight", "height")
    0.0
    """
    mine, theirs = words(name), words(other)
    if "".join(mine) == "".join(theirs):
        return 100.0
    own = set(words(table))
    bare_mine, bare_theirs = (tuple(word for word in part if word not in own) for part in (mine, theirs))
    if bare_mine == bare_theirs and bare_mine:
        return SAME_WORDS
    if set(mine) < set(theirs) or (set(theirs) < set(mine) and not set(theirs) <= _GENERIC):
        return CONTAINED
    return _edit_similarity(_folded(name), _folded(other))


def _edit_similarity(name: str, other: str) -> float:
    if re.findall(r"\d+", name) != re.findall(r"\d+", other) or name[:1] != other[:1]:
        return 0.0
    longer = max(len(name), len(other))
    if longer > SHORT and OSA.distance(name, other) == 1:
        return max(ONE_EDIT, float(fuzz.ratio(name, other)))
    return float(fuzz.ratio(name, other)) if min(len(name), len(other)) > SHORT else 0.0


def nearness(name: str, other: str, table: str = "") -> float:
    """Similarity for ranking alone: never blank, so that the least unlike names can be shown."""
    return max(similarity(name, other, table), 0.8 * float(fuzz.ratio(_folded(name), _folded(other))))


def one_close(scored: dict[str, float]) -> str | None:
    """The one key that is meant: close enough, and closer than every other; else None."""
    ranked = sorted(scored, key=lambda key: -scored[key])
    if not ranked or scored[ranked[0]] < CLOSE:
        return None
    if len(ranked) > 1 and scored[ranked[0]] - scored[ranked[1]] < LEAD:
        return None
    return ranked[0]


def identifier(name: str) -> exp.Identifier:
    """The name as a node, quoted where it must be."""
    return exp.Identifier(this=name, quoted=quote_name(name, "sqlite") != name)


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _singular(word: str) -> str:
    if len(word) > SHORT and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > SHORT and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) >= SHORT and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
