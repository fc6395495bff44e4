"""The shape of one error type, and of one finding of that type."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlglot import exp

from critiql.tools.sql.align import Span

if TYPE_CHECKING:
    from critiql.tools.errors.query import Query
    from critiql.tools.errors.types.workbench import Bench, Edit

Source = Literal["rule", "head", "prompt", "parse"]
"""What found an error: a rule, the error-token head, a model's own words, or reading the SQL itself."""
SEMANTIC: tuple[Source, ...] = ("head", "prompt")
"""Sources that hold a finding for likely; the others have proof."""


@dataclass(frozen=True)
class Finding:
    """One typed error in a query."""

    type: str
    """Key of the error type, `value_error` for instance."""
    source: Source
    explanation: str
    """What is wrong, in one sentence."""
    suggestion: str = ""
    """What to do about it; empty where nothing better than the explanation is known."""
    probability: float = 1.0
    """1 for rules; for the head the sigmoid of its token; for a prompt that of the text the model wrote."""
    node: exp.Expr | None = field(default=None, compare=False, repr=False)
    """The node of the query's tree that is wrong; None where the whole query is meant."""
    span: Span | None = None
    """Characters of the text that `node` covers, end excluded; `rules.detect` fills it."""
    slots: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Slots of the type's guideline that the finder could fill."""
    mended: exp.Query | None = field(default=None, compare=False, repr=False)
    """The whole query without this error, where code can write it."""
    rule: str = ""
    """Name of the rule that spoke; empty for a model."""
    lines: tuple[int, ...] = ()
    """Numbered lines of the tree that a localiser named; none for a rule."""

    def as_dict(self) -> dict[str, Any]:
        """What JSON holds: nodes become their SQL text, and the mended query is left to who may use it."""
        return {
            "type": self.type,
            "source": self.source,
            "rule": self.rule or None,
            "probability": self.probability,
            "span": list(self.span) if self.span else None,
            "node": self.node.sql() if self.node is not None else None,
            "explanation": self.explanation,
            "suggestion": self.suggestion,
            "slots": dict(self.slots),
            **({"lines": list(self.lines)} if self.lines else {}),
        }


class RepairExample(NamedTuple):
    """A wrong query, what was wrong with it, and the right one."""

    question: str
    wrong: str
    reason: str
    right: str
    database: str = ""
    """Stem of the database it is about; empty for ours."""


class BugLabel(NamedTuple):
    """A category of NL2SQL-Bugs (Liu et al., KDD 2025) and one of its sub-types."""

    category: str
    subtype: str


Rule = Callable[["Query"], Iterable[Finding]]
"""A deterministic predicate on a query: yields what it is sure of, nothing otherwise."""

Operator = Callable[["Bench"], "Iterator[Edit]"]
"""A perturbation: yields, lazily and in an order drawn from the bench, edits that inject one error."""


@dataclass(frozen=True)
class ErrorType:
    """Everything about one type of error (ErrorLLM, section 3.2 and table 9)."""

    number: int
    """Row of the error-token head, from 1; the null token is row 0."""
    name: str
    description: str
    """One sentence a model and a person understand."""
    priority: int
    """Lower is repaired first: table 1, join 2, subquery 3, attribute 4, clause 5, condition 6, operator 7,
    function 8, value 9, modifier 10."""
    guideline: str
    """Lines of `Label: $slot`; a line whose slot stays empty is left out (figure 8 of the paper)."""
    keywords: tuple[str, ...]
    """Words whose mean embedding initialises the error token (equation 11)."""
    bugs: tuple[BugLabel, ...] = ()
    """Sub-types of NL2SQL-Bugs that mean this error (table 10, extended)."""
    rules: tuple[Rule, ...] = ()
    operators: tuple[Operator, ...] = ()
    examples: tuple[RepairExample, ...] = ()

    @property
    def key(self) -> str:
        """Name of the type in findings, data files and the module that defines it."""
        return self.name.casefold().replace(" ", "_")

    @property
    def token(self) -> str:
        """The reserved token, `[ERR_07]` for instance."""
        return f"[ERR_{self.number:02d}]"

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the guideline's slots, in order."""
        return tuple(Template(self.guideline).get_identifiers())
