"""What is wrong with a query, given the right one: the error types by which two trees differ.

Labels the actor's own errors for training (ErrorLLM, section 3.4, asks a large model for that), and checks
that a perturbation does what its type says. A comparison is a triple of column, operator and value, typed by
the element that differs; two or more make it a Condition Error (NL2SQL-Bugs' rule).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from sqlglot import exp

from critiql.tools.errors.label.skeleton import Atom, Facts, atoms_of, connectives, facts_of, nested_in, said
from critiql.tools.errors.query import Query

Types = set[str]


def difference(right: Query, wrong: Query) -> Types:
    """Keys of the error types by which `wrong` departs from `right`; empty when nothing differs."""
    return set(_queries(Facts(right), right.tree, Facts(wrong), wrong.tree, inner=False))


def _queries(right: Facts, gold: exp.Expr, wrong: Facts, other: exp.Expr, *, inner: bool) -> Iterator[str]:
    gold, other = gold.unnest(), other.unnest()
    if isinstance(gold, exp.SetOperation) or isinstance(other, exp.SetOperation):
        if type(gold) is not type(other):
            yield "subquery_error"
            return
        for side in ("this", "expression"):
            yield from _queries(right, gold.args[side], wrong, other.args[side], inner=inner)
        yield from _order(right, gold, wrong, other, set())
    elif isinstance(gold, exp.Select) and isinstance(other, exp.Select):
        yield from _selects(right, gold, wrong, other, inner=inner)


def _selects(
    right: Facts, gold: exp.Select, wrong: Facts, other: exp.Select, *, inner: bool
) -> Iterator[str]:
    changed: set[str] = set()
    yield from _tables(right, gold, wrong, other, changed)
    yield from _joins(right, gold, wrong, other, changed)
    items = set(_items(right, gold.expressions, wrong, other.expressions, changed))
    yield from {"subquery_error" if inner and key.startswith("attribute") else key for key in items}
    if bool(gold.args.get("distinct")) != bool(other.args.get("distinct")):
        yield "modifier_error"
    yield from _conditions(right, gold, wrong, other, "where", changed)
    yield from _having(right, gold, wrong, other, changed)
    yield from _group(right, gold, wrong, other, changed)
    yield from _order(right, gold, wrong, other, changed)
    pairs = zip(
        nested_in(gold, "from_", "joins", "with_"), nested_in(other, "from_", "joins", "with_"), strict=False
    )
    for one, two in pairs:
        yield from _queries(right, one, wrong, two, inner=False)


def _tables(
    right: Facts, gold: exp.Select, wrong: Facts, other: exp.Select, changed: set[str]
) -> Iterator[str]:
    """Compare the tables read, and note those that changed: what hangs on them is no error of its own."""
    had, has = facts_of(right, gold).tables, facts_of(wrong, other).tables
    lost, new = had - has, has - had
    changed |= {*lost, *new}
    if lost and new:
        yield "table_mismatch"
    elif lost:
        yield "table_missing"
    elif new:
        yield "table_redundancy"


def _joins(
    right: Facts, gold: exp.Select, wrong: Facts, other: exp.Select, changed: set[str]
) -> Iterator[str]:
    one, two = facts_of(right, gold), facts_of(wrong, other)
    had = Counter(pair for pair in one.pairs if not changed & set(pair.tables))
    has = Counter(pair for pair in two.pairs if not changed & set(pair.tables))
    kinds = one.kinds != two.kinds if not changed else False
    if had != has or kinds:
        yield "join_error"


def _items(
    right: Facts, gold: list[exp.Expr], wrong: Facts, other: list[exp.Expr], changed: set[str]
) -> Iterator[str]:
    """Compare the columns returned."""
    had, has = [said(right, item) for item in gold], [said(wrong, item) for item in other]
    lost, new = Counter(had) - Counter(has), Counter(has) - Counter(had)
    if len(gold) > len(other):
        yield "attribute_missing"
    elif len(gold) < len(other):
        yield "attribute_redundancy"
    left = [item for item, text in zip(gold, had, strict=True) if lost[text]]
    came = [item for item, text in zip(other, has, strict=True) if new[text]]
    for one, two in zip(left, came, strict=False):
        yield from _expressions(right, one, wrong, two, changed)


def _expressions(
    right: Facts, one: exp.Expr, wrong: Facts, two: exp.Expr, changed: set[str]
) -> Iterator[str]:
    """What differs between two expressions: their columns, or what is done with them."""
    if said(right, one) == said(wrong, two):
        return
    columns = right.columns(one) != wrong.columns(two)
    shape, other = said(right, one, columns=False), said(wrong, two, columns=False)
    if columns and not changed & {c.partition(".")[0] for c in (*right.columns(one), *wrong.columns(two))}:
        yield "attribute_mismatch"
    if shape != other:
        plain = shape.replace("DISTINCT ", "") == other.replace("DISTINCT ", "")
        yield "modifier_error" if plain else "function_error"


def _conditions(
    right: Facts, gold: exp.Select, wrong: Facts, other: exp.Select, clause: str, changed: set[str]
) -> Iterator[str]:
    had = atoms_of(right, gold.args.get(clause))
    has = atoms_of(wrong, other.args.get(clause))
    same = {atom.text for atom in had} & {atom.text for atom in has}
    left, came = [a for a in had if a.text not in same], [a for a in has if a.text not in same]
    yield from _nested(right, [a for a in had if a.text in same], wrong, [a for a in has if a.text in same])
    pairs = _paired(left, came)
    for one, two in pairs:
        yield from _triple(right, one, wrong, two, changed)
    gone = [a for a in left if all(a is not one for one, _ in pairs) and not changed & a.tables]
    added = [a for a in came if all(a is not two for _, two in pairs) and not changed & a.tables]
    for atom, extra in zip_longest(gone, added):
        nested = (atom is not None and atom.queries) or (extra is not None and extra.queries)
        if nested:
            yield "subquery_error"
        else:
            yield "condition_error" if extra is not None else "condition_missing"
    if len(had) == len(has) and not changed:
        before, after = connectives(gold.args.get(clause)), connectives(other.args.get(clause))
        if before != after:
            yield "operator_error"


def _paired(left: list[Atom], came: list[Atom]) -> list[tuple[Atom, Atom]]:
    """Comparisons of both sides that share two of their three elements, each once."""
    pairs: list[tuple[Atom, Atom]] = []
    for one in left:
        free = [two for two in came if all(two is not taken for _, taken in pairs)]
        best = max(free, key=one.shared, default=None)
        if best is not None and one.shared(best) >= 2:
            pairs.append((one, best))
    return pairs


def _triple(right: Facts, one: Atom, wrong: Facts, two: Atom, changed: set[str]) -> Iterator[str]:
    if one.operator != two.operator:
        yield "operator_error"
    if one.value != two.value:
        yield "value_error"
    if one.left != two.left:
        yield from _expressions(right, one.subject, wrong, two.subject, changed)
    yield from _nested(right, [one], wrong, [two])


def _nested(right: Facts, had: Iterable[Atom], wrong: Facts, has: Iterable[Atom]) -> Iterator[str]:
    """Compare the subqueries of conditions that are otherwise the same, in order."""
    golds = [query for atom in had for query in atom.queries]
    others = [query for atom in has for query in atom.queries]
    for gold, other in zip(golds, others, strict=False):
        yield from _queries(right, gold, wrong, other, inner=True)


def _having(
    right: Facts, gold: exp.Select, wrong: Facts, other: exp.Select, changed: set[str]
) -> Iterator[str]:
    if bool(gold.args.get("having")) != bool(other.args.get("having")):
        yield "clause_error"
    else:
        yield from _conditions(right, gold, wrong, other, "having", changed)


def _group(
    right: Facts, gold: exp.Select, wrong: Facts, other: exp.Select, changed: set[str]
) -> Iterator[str]:
    one, two = gold.args.get("group"), other.args.get("group")
    if bool(one) != bool(two):
        yield "clause_error"
    elif one is not None and two is not None:
        yield from _items(right, one.expressions, wrong, two.expressions, changed)


def _order(right: Facts, gold: exp.Expr, wrong: Facts, other: exp.Expr, changed: set[str]) -> Iterator[str]:
    one, two = gold.args.get("order"), other.args.get("order")
    if bool(one) != bool(two) or bool(gold.args.get("limit")) != bool(other.args.get("limit")):
        yield "clause_error"
    if one is not None and two is not None:
        for key, match in zip(one.expressions, two.expressions, strict=False):
            if bool(key.args.get("desc")) != bool(match.args.get("desc")):
                yield "modifier_error"
            yield from _expressions(right, key.this, wrong, match.this, changed)
    before, after = gold.args.get("limit"), other.args.get("limit")
    if before is not None and after is not None and before != after:
        yield "value_error"
