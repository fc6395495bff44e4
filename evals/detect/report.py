"""How well each detector tells wrong SQL from right: the first predictions of a run, or NL2SQL-Bugs.

The positive class is "the SQL is wrong". Every detector looks at the same queries; where it gave no verdict
(P(True) of a query that was never judged) its row counts fewer of them, and says how many.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal, NamedTuple

from critiql.agent.context import Context
from critiql.agent.databases import limits_of, summarise
from critiql.agent.detect.prompt import detector_prompt
from critiql.agent.detect.semantic import SemanticDetector
from critiql.agent.evidence import Execution
from critiql.agent.roles.ground import fitting, schema_prefix
from critiql.evals.detect.style_baseline import style_scores
from critiql.evals.detect.subjects import Subject
from critiql.evals.metrics.detection import DetectionScores, Judged, TypeScores, detection_scores, type_scores
from critiql.evals.statistics import Estimate, auc, proportion
from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Failure
from critiql.tools.errors.guide.parts import Part
from critiql.tools.errors.head import HeadError
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read, types_of
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.linking.link import link
from critiql.tools.models.cancel import CallCancelledError
from critiql.tools.models.model import ModelError, Prompt, TransientModelError
from critiql.tools.schema.model import Schema

DETECTORS = ("rules", "execution", "head", "both", "p_true", "prompt", "style")
"""rules: static rules; execution: it does not run; both: rules and head; prompt: self-detection."""
Kind = Literal["head", "prompt"]
NEEDS: dict[str, Kind] = {"head": "head", "both": "head", "prompt": "prompt"}
"""By detector the kind of model reading it needs."""
NAMES_TYPES = ("rules", "head", "both", "prompt")
LEVELS = ("easy", "medium", "hard", "extra", "simple", "moderate", "challenging")
"""Hardness of Spider, then of BIRD."""
HALF = 0.5


class Said(NamedTuple):
    """What a model said of a query."""

    types: frozenset[str]
    correct: float | None
    """Probability of the null token."""


@dataclass(frozen=True)
class Looked:
    """A query with what was found out about it."""

    subject: Subject
    executes: bool | None
    """None where nothing was run."""
    rules: frozenset[str]
    said: Mapping[str, Said] = field(default_factory=dict, hash=False)
    """By kind, head or prompt; absent where the model failed or the text is no query."""
    style: float | None = None


class Verdict(NamedTuple):
    """What one detector holds of one query."""

    flagged: bool
    types: frozenset[str] = frozenset()
    score: float | None = None
    """Higher is more likely right; None where the detector has none."""


class CategoryScores(NamedTuple):
    """How a detector fares on the wrong queries with an error of one category."""

    flagged: Estimate
    """Share that it calls wrong."""
    named: Estimate | None
    """Share of which it names a type of this category; None for a detector that names no type."""


@dataclass(frozen=True)
class Row:
    """One detector."""

    detector: str
    detection: DetectionScores
    auc: Estimate | None
    """Of its score, wrong against right."""
    types: TypeScores | None
    """Type-specific accuracy on the labelled queries; None for a detector that names no type."""
    by_difficulty: dict[str, Estimate]
    """D-F1."""
    by_category: dict[str, CategoryScores]
    """By category of NL2SQL-Bugs, the largest first; empty for other data."""


@dataclass(frozen=True)
class DetectionReport:
    """All detectors on the same queries."""

    n: int
    wrong: int
    labelled: int
    """Wrong queries whose labels explain them."""
    unread: dict[str, int]
    """By kind of model: queries it could not read; they count as nothing found."""
    accuracy: dict[str, Estimate]
    """Share of right queries by hardness: EX."""
    rows: list[Row]
    critics: dict[str, Estimate]
    """AUC of null token and P(True) on the queries that have both."""


def look(
    subjects: Sequence[Subject],
    detectors: Collection[SemanticDetector],
    context: Context,
    step: Callable[[], None] = lambda: None,
) -> list[Looked]:
    """Run each query, ask the rules and the models, database by database.

    Raises:
        HeadError, TransientModelError: a model cannot be used; what it said before is in the call cache.
        DatabaseError: a database cannot be read.
    """
    looked: list[Looked] = []
    for _, group in groupby(sorted(subjects, key=_order), key=lambda one: one.db_id):
        mine = list(group)
        with _place(mine[0], context) as place:
            for one in mine:
                looked.append(place.looked(one, detectors))
                step()
    return looked


def report(looked: Sequence[Looked], names: Sequence[str], threshold: float = HALF) -> DetectionReport:
    """Every detector's row.

    Args:
        looked: all queries.
        names: which of `DETECTORS`.
        threshold: P(True) below it says wrong; fit it on other data.
    """
    looked = _with_style(looked) if "style" in names else looked
    wrong = [one.subject for one in looked if one.subject.wrong]
    return DetectionReport(
        n=len(looked),
        wrong=len(wrong),
        labelled=sum(bool(subject.types) for subject in wrong),
        unread={kind: sum(kind not in one.said for one in looked) for kind in kinds_of(names)},
        accuracy={
            name: proportion(sum(not one.subject.wrong for one in group), len(group))
            for name, group in _by_difficulty(looked).items()
        },
        rows=[row for name in names if (row := _row(name, looked, threshold)) is not None],
        critics=_critics(looked),
    )


def kinds_of(names: Collection[str]) -> list[Kind]:
    """The kinds of model readings that some detectors need, each once."""
    kinds: list[Kind] = ["head", "prompt"]
    return [kind for kind in kinds if any(NEEDS.get(name) == kind for name in names)]


def verdict(name: str, one: Looked, threshold: float = HALF) -> Verdict | None:
    """What a detector holds of a query; None where it was not asked about it."""
    head, prompt = (one.said.get(kind, Said(frozenset(), None)) for kind in ("head", "prompt"))
    fails, p_true = one.executes is False, one.subject.p_true
    if name == "rules":
        return Verdict(bool(one.rules), one.rules)
    if name == "execution":
        return None if one.executes is None else Verdict(fails)
    if name == "p_true":
        if p_true is None:
            return Verdict(flagged=True) if fails else None
        return Verdict(p_true < threshold, score=p_true)
    if name == "style":
        return None if one.style is None else Verdict(one.style >= HALF, score=-one.style)
    found = {"head": head.types, "both": head.types | one.rules, "prompt": prompt.types}[name]
    return Verdict(bool(found), found, head.correct if name == "head" else None)


def _order(one: Subject) -> tuple[str, int]:
    """Database by database: their prompts share a prefix."""
    return one.db_id, one.index


@dataclass(frozen=True)
class _Place:
    """Where the queries of one database are looked at."""

    database: Database | None
    schema: Schema
    values: DatabaseValues | None
    context: Context

    def looked(self, one: Subject, detectors: Collection[SemanticDetector]) -> Looked:
        result = self.database.run(one.sql, limits_of(self.context)) if self.database else None
        failure = result if isinstance(result, Failure) else None
        query = read(one.sql, self.schema, question=one.question, execution=failure, values=self.values)
        said: dict[str, Said] = {}
        if detectors and not isinstance(query, Finding):
            execution = None if result is None else summarise(result)
            for each in detectors:
                heard = _said(each, self._prompt(one, query, execution, each.parts))
                said |= {each.source: heard} if heard else {}
        executes = None if result is None else result.ok
        return Looked(one, executes, frozenset(types_of(detect(query))), said)

    def _prompt(
        self, one: Subject, query: Query, execution: Execution | None, parts: Sequence[Part]
    ) -> Prompt:
        return detector_prompt(
            self.prefix(one.question),
            one.asked,
            query,
            execution,
            rules=self.context.rules,
            parts=parts,
            links=link(one.question, self.schema) if "links" in parts else (),
            values=self.context.execution,
        )

    def prefix(self, question: str) -> str:
        """As `ground` writes it."""
        return schema_prefix(fitting(self.schema, question, (), self.context), self.context)


@contextmanager
def _place(one: Subject, context: Context) -> Iterator[_Place]:
    if one.database is None:
        assert one.schema is not None
        yield _Place(None, one.schema, None, context.model_copy(update={"execution": False}))
        return
    with closing(open_database(one.database)) as database:
        yield _Place(database, database.schema(), DatabaseValues(database), context)


def _said(detector: SemanticDetector, prompt: Prompt) -> Said | None:
    """What a model says; None where it cannot read this query."""
    try:
        reading = detector.read(prompt)
    except (HeadError, TransientModelError, CallCancelledError):
        raise
    except ModelError:
        return None
    return Said(frozenset(key for key, _ in reading.types), reading.correct)


def _with_style(looked: Sequence[Looked]) -> list[Looked]:
    subjects = [one.subject for one in looked]
    scores = style_scores([s.sql for s in subjects], [s.wrong for s in subjects], [s.db_id for s in subjects])
    if scores is None:
        return list(looked)
    return [replace(one, style=float(score)) for one, score in zip(looked, scores, strict=True)]


def _row(name: str, looked: Sequence[Looked], threshold: float) -> Row | None:
    """One detector's figures; None where it gave no verdict at all."""
    pairs = [(one, found) for one in looked if (found := verdict(name, one, threshold)) is not None]
    if not pairs:
        return None
    judged = [_judged(one, found) for one, found in pairs]
    scored = [(found.score, not one.subject.wrong) for one, found in pairs if found.score is not None]
    levels = _by_difficulty([one for one, _ in pairs])
    return Row(
        detector=name,
        detection=detection_scores(judged),
        auc=auc([score for score, _ in scored], [right for _, right in scored]) if scored else None,
        types=type_scores(judged) if name in NAMES_TYPES else None,
        by_difficulty={
            level: detection_scores(
                [_judged(one, found) for one, found in pairs if one.subject.difficulty == level]
            ).f1
            for level in levels
        },
        by_category=_by_category(pairs, names_types=name in NAMES_TYPES),
    )


def _by_category(pairs: Sequence[tuple[Looked, Verdict]], *, names_types: bool) -> dict[str, CategoryScores]:
    counts = Counter(category for one, _ in pairs for category in one.subject.categories)
    found: dict[str, CategoryScores] = {}
    for category, n in counts.most_common():
        verdicts = [verdict for one, verdict in pairs if category in one.subject.categories]
        named = sum(category in categories_of(verdict.types) for verdict in verdicts)
        flagged = proportion(sum(verdict.flagged for verdict in verdicts), n)
        found[category] = CategoryScores(flagged, proportion(named, n) if names_types else None)
    return found


def categories_of(types: Collection[str]) -> set[str]:
    """The categories of NL2SQL-Bugs that some error types belong to."""
    return {label.category for key in types if key in BY_KEY for label in BY_KEY[key].bugs}


def _judged(one: Looked, found: Verdict) -> Judged:
    return Judged(one.subject.wrong, found.flagged, one.subject.types, found.types)


def _by_difficulty(looked: Sequence[Looked]) -> dict[str, list[Looked]]:
    """By hardness, in the order in which Spider and BIRD name theirs; none where it is not known."""
    groups = {level: [one for one in looked if one.subject.difficulty == level] for level in LEVELS}
    return {level: group for level, group in groups.items() if group}


def _critics(looked: Sequence[Looked]) -> dict[str, Estimate]:
    """AUC of both judges of correctness, on the same queries."""
    both = [
        (one.said["head"].correct, one.subject.p_true, not one.subject.wrong)
        for one in looked
        if "head" in one.said and one.subject.p_true is not None
    ]
    if not both:
        return {}
    right = [truth for *_, truth in both]
    return {
        "null_token": auc([float(null or 0) for null, *_ in both], right),
        "p_true": auc([float(p or 0) for _, p, _ in both], right),
    }
