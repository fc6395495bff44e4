"""Error 13, Operator Error: a wrong comparison, a wrong logical connective, or wrong precedence."""

import re
from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.query import COMPARISONS, Query
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit

KEY = "operator_error"
_NUMBER = r"(\d+(?:\.\d+)?)(?![\w%])"
_PHRASES: tuple[tuple[re.Pattern[str], tuple[type[exp.Expr], ...], str], ...] = (
    (
        re.compile(rf" (?:more|greater|larger|higher|older|heavier) than {_NUMBER}"),
        (exp.LT, exp.LTE, exp.EQ),
        ">",
    ),
    (
        re.compile(rf" (?:less|fewer|smaller|lower|younger) than {_NUMBER}"),
        (exp.GT, exp.GTE, exp.EQ),
        "<",
    ),
    (re.compile(rf" at least {_NUMBER}"), (exp.GT, exp.LT, exp.LTE, exp.EQ), ">="),
    (re.compile(rf" at most {_NUMBER}"), (exp.LT, exp.GT, exp.GTE, exp.EQ), "<="),
)
"""How a question words a comparison, the operators that contradict it, and the one it means."""
_DENIED = re.compile(r" (?:no|not|never|without|\S+n't)(?: \S+){0,2}$")
"""Words before a comparison that turn it round: "do not have more than 3" means at most 3."""


def null_compared(query: Query) -> Iterator[Finding]:
    """`= NULL` or `<> NULL`, which holds of no row."""
    for node in query.all(*COMPARISONS):
        if isinstance(node.this, exp.Null) or isinstance(node.expression, exp.Null):
            right = "IS NOT NULL" if isinstance(node, exp.NEQ) else "IS NULL"
            yield _finding(node, f"{node.sql()} holds of no row.", right)


def pattern_without_like(query: Query) -> Iterator[Finding]:
    """A text with % at its start or end compared with `=`, where the column does not hold it literally."""
    for comparison in query.comparisons:
        value = comparison.value
        if comparison.operator not in (exp.EQ, exp.NEQ) or not isinstance(value, str) or len(value) < 3:
            continue
        place = query.place(comparison.column)
        stored = query.distinct(place) if place else None
        if (value[0] == "%" or value[-1] == "%") and (stored is None or value not in stored):
            yield _finding(comparison.node, f"= takes {value!r} literally; % is a wildcard of LIKE.", "LIKE")


def against_the_wording(query: Query) -> Iterator[Finding]:
    """The question says "more than 5" or the like, and the only comparison with 5 says something else."""
    compared = [*_with_numbers(query)]
    for pattern, contrary, meant in _PHRASES:
        for number in _worded(pattern, query.words):
            matching = [entry for entry in compared if entry[1] == float(number)]
            if len(matching) == 1 and matching[0][0] in contrary and query.words.count(f" {number} ") == 1:
                node = matching[0][2]
                yield _finding(node, f"The question asks for {meant} {number}.", meant)


def _worded(pattern: re.Pattern[str], words: str) -> Iterator[str]:
    """The numbers of a wording that nothing before it denies."""
    return (found[1] for found in pattern.finditer(words) if not _DENIED.search(words[: found.start()]))


def _with_numbers(query: Query) -> Iterator[tuple[type[exp.Expr], float, exp.Expr]]:
    """Every comparison of anything with a number: the operator, the number, the node."""
    for node in query.all(*COMPARISONS):
        value = query.constant(node.expression)
        if isinstance(value, int | float):
            yield type(node), float(value), node


def _finding(node: exp.Expr, explanation: str, right: str) -> Finding:
    slots = {"condition": node.sql(), "operator": _symbol(node), "right_operator": right}
    return Finding(KEY, "rule", explanation, f"Use {right}.", node=node, slots=slots)


def _symbol(node: exp.Expr) -> str:
    symbols = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
    return symbols.get(type(node).__name__, type(node).__name__.upper())


_SWAPS: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
}


def other_comparison(bench: Bench) -> Iterator[Edit]:
    """Compare a column, a count or the like with the same thing, but otherwise."""
    for node in bench.shuffled(bench.query.all(*COMPARISONS)):
        sides = (node.this, node.expression)
        if all(isinstance(side, exp.Column) and bench.query.constant(side) is None for side in sides):
            continue
        for swap in bench.shuffled(_SWAPS[type(node)]):
            new = swap(this=node.this.copy(), expression=node.expression.copy())
            yield bench.replaced(node, new, f"{_symbol(node)} became {_symbol(new)}")


def other_connective(bench: Bench) -> Iterator[Edit]:
    """AND instead of OR, or the reverse."""
    for node in bench.shuffled(bench.query.all(exp.And, exp.Or)):
        if node.find_ancestor(exp.Join, exp.Select) is not node.parent_select:
            continue
        kind = exp.Or if isinstance(node, exp.And) else exp.And
        new = kind(this=_bracketed(node.this), expression=_bracketed(node.expression))
        if isinstance(node.parent, exp.Connector):
            yield bench.replaced(node, exp.Paren(this=new), "AND and OR are exchanged")
        else:
            yield bench.replaced(node, new, "AND and OR are exchanged")


def _bracketed(side: exp.Expr) -> exp.Expr:
    return exp.Paren(this=side.copy()) if isinstance(side, exp.Connector) else side.copy()


def toggled_not(bench: Bench) -> Iterator[Edit]:
    """Take NOT away from a NOT IN, NOT LIKE or NOT EXISTS, or add it to an IN or LIKE."""
    for node in bench.shuffled(bench.query.all(exp.Not, exp.In, exp.Like, exp.Is)):
        if isinstance(node, exp.Not):
            yield bench.replaced(node, node.this.copy(), "NOT is left out")
        elif not isinstance(node.parent, exp.Not):
            yield bench.replaced(node, exp.Not(this=node.copy()), "NOT is added")


OPERATOR_ERROR = ErrorType(
    number=13,
    name="Operator Error",
    description="A comparison or logical operator is wrong: >, >=, =, LIKE, IS NULL, AND, OR, NOT.",
    priority=7,
    guideline="""Wrong condition: $nodes
Located in: $clause
Operator now: $operator
Operator the question states: $right_operator""",
    keywords=("operator", "comparison", "greater", "less", "equal", "logical", "or", "not"),
    bugs=(
        BugLabel("Operator-Related Errors", "Comparison Operator Mismatch"),
        BugLabel("Operator-Related Errors", "Logical Operator Mismatch"),
    ),
    rules=(null_compared, pattern_without_like, against_the_wording),
    operators=(other_comparison, other_connective, toggled_not),
    examples=(
        RepairExample(
            "Which courses have at least 30 participants?",
            "SELECT title FROM courses WHERE participants > 30",
            "At least 30 includes 30.",
            "SELECT title FROM courses WHERE participants >= 30",
        ),
    ),
)
