"""Where every node of a query stands in its text.

sqlglot gives places to identifiers, literals, stars and function names only. The rest follows bottom-up: a
node covers its children, and each kind of node takes in the keywords and brackets around them from the token
stream. What stands in no text (an implied ON TRUE, a default argument) has the span of its parent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from critiql.tools.sql.dialect import dialect_of
from critiql.tools.sql.parse import Parsed


class Span(NamedTuple):
    """Offsets into the text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The spans of one tree's nodes, by node identity."""

    text: str
    spans: dict[int, Span]
    """By id() of the node."""

    def span(self, node: exp.Expr) -> Span:
        """Where the node stands.

        Raises:
            KeyError: the node is not of the tree that was aligned.
        """
        return self.spans[id(node)]

    def under(self, node: exp.Expr) -> str:
        """The node's own text."""
        start, end = self.span(node)
        return self.text[start:end]


def align(parsed: Parsed) -> Alignment:
    """The span of every node in the text the query was parsed from."""
    tokens = dialect_of(parsed.dialect).tokenize(parsed.text)
    last = max(i for i, token in enumerate(tokens) if token.token_type != TokenType.SEMICOLON)
    walk = _Walk(tokens[: last + 1])
    nodes = list(parsed.tree.dfs())
    for node in reversed(nodes):
        walk.place(node)
    walk.found[id(parsed.tree)] = (0, last)
    spans: dict[int, Span] = {}
    for node in nodes:
        place = walk.found.get(id(node))
        if place is not None:
            spans[id(node)] = Span(tokens[place[0]].start, tokens[place[1]].end + 1)
        else:
            assert node.parent is not None
            spans[id(node)] = spans[id(node.parent)]
    return Alignment(parsed.text, spans)


Place = tuple[int, int]
"""First and last token, both included."""


class _Walk:
    """The tokens of one text and the places found so far."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.kinds = [token.token_type for token in tokens]
        self.starts = {token.start: i for i, token in enumerate(tokens)}
        self.ends = {token.end: i for i, token in enumerate(tokens)}
        self.found: dict[int, Place] = {}
        self.closing = self._matched()

    def _matched(self) -> dict[int, int]:
        opened: list[int] = []
        pairs: dict[int, int] = {}
        for i, kind in enumerate(self.kinds):
            if kind == TokenType.L_PAREN:
                opened.append(i)
            elif kind == TokenType.R_PAREN and opened:
                pairs[opened.pop()] = i
        return pairs

    def place(self, node: exp.Expr) -> None:
        """Find the node's tokens; its children have been placed."""
        hull = self._hull(node)
        first, last = self.starts.get(node.meta.get("start", -1)), self.ends.get(node.meta.get("end", -1))
        if first is not None and last is not None:
            hull = (first, last) if hull is None else (min(first, hull[0]), max(last, hull[1]))
        if hull is None:
            return
        if first is not None and isinstance(node, exp.Func):
            hull = self._call(hull, first)
        widen = next((_WIDEN[kind] for kind in type(node).__mro__ if kind in _WIDEN), None)
        self.found[id(node)] = widen(self, node, hull) if widen else hull

    def _hull(self, node: exp.Expr) -> Place | None:
        places = [place for child in node.iter_expressions() if (place := self.found.get(id(child)))]
        if not places:
            return None
        return min(place[0] for place in places), max(place[1] for place in places)

    def _call(self, hull: Place, name: int) -> Place:
        """From the function's name to its closing bracket."""
        return min(hull[0], name), max(hull[1], self.closing.get(name + 1, hull[1]))

    def kind(self, index: int) -> TokenType | None:
        """Kind of a token; None outside the text."""
        return self.kinds[index] if 0 <= index < len(self.kinds) else None

    def left(self, place: Place, *kinds: TokenType) -> Place:
        """Take in the tokens of these kinds that stand directly before."""
        first = place[0]
        while self.kind(first - 1) in kinds:
            first -= 1
        return first, place[1]

    def one_left(self, place: Place, *kinds: TokenType) -> Place:
        """Take in one such token directly before."""
        return (place[0] - 1, place[1]) if self.kind(place[0] - 1) in kinds else place

    def right(self, place: Place, *kinds: TokenType) -> Place:
        """Take in the tokens of these kinds that stand directly after."""
        last = place[1]
        while self.kind(last + 1) in kinds:
            last += 1
        return place[0], last

    def bracketed(self, place: Place) -> Place:
        """Take in the brackets directly around."""
        if self.kind(place[0] - 1) == TokenType.L_PAREN:
            return place[0] - 1, max(place[1], self.closing.get(place[0] - 1, place[1]))
        return place

    def closed(self, place: Place) -> Place:
        """Take in what is missing to the last bracket that was opened inside."""
        ends = [self.closing[i] for i in range(place[0], place[1] + 1) if i in self.closing]
        return place[0], max([place[1], *ends])

    def back_to(self, place: Place, kind: TokenType) -> Place:
        """Take in everything back to the nearest token of that kind."""
        first = next((i for i in range(place[0], -1, -1) if self.kinds[i] == kind), place[0])
        return first, place[1]


def _select(walk: _Walk, node: exp.Expr, place: Place) -> Place:
    items = [walk.found[id(item)][0] for item in node.expressions if id(item) in walk.found]
    first = min(items, default=place[0])
    start, _ = walk.back_to((first, first), TokenType.SELECT)
    distinct = node.args.get("distinct")
    if distinct is not None and id(distinct) not in walk.found and walk.kind(start + 1) == TokenType.DISTINCT:
        walk.found[id(distinct)] = (start + 1, start + 1)
    return min(start, place[0]), place[1]


def _join(walk: _Walk, node: exp.Expr, place: Place) -> Place:
    words = (
        *(TokenType.JOIN, TokenType.INNER, TokenType.LEFT, TokenType.RIGHT, TokenType.FULL, TokenType.OUTER),
        *(TokenType.CROSS, TokenType.NATURAL, TokenType.STRAIGHT_JOIN),
    )
    place = walk.left(walk.one_left(place, TokenType.COMMA), *words)
    return walk.closed(place) if node.args.get("using") else place


def _not(walk: _Walk, node: exp.Expr, place: Place) -> Place:
    """NOT before its operand, unless it stands inside: `a NOT IN (...)`, `a IS NOT NULL`."""
    inner = node.this
    if isinstance(inner, exp.In | exp.Between | exp.Is | exp.Binary):
        subject = walk.found.get(id(inner.this))
        after = subject[1] + 1 if subject else -1
        after += walk.kind(after) == TokenType.IS
        if walk.kind(after) == TokenType.NOT:
            return place
    return walk.one_left(place, TokenType.NOT)


def _cast(walk: _Walk, node: exp.Expr, place: Place) -> Place:
    subject = walk.found.get(id(node.this), place)
    opening = subject[0] - 1
    end = walk.closing.get(opening, place[1])
    if walk.kind(subject[1] + 1) == TokenType.ALIAS:
        walk.found[id(node.args["to"])] = (subject[1] + 2, end - 1)
    return opening - 1, end


def _exists(walk: _Walk, _node: exp.Expr, place: Place) -> Place:
    return walk.one_left(walk.bracketed(place), TokenType.EXISTS)


def _case(walk: _Walk, _node: exp.Expr, place: Place) -> Place:
    return walk.one_left(walk.right(place, TokenType.END), TokenType.CASE)


def _when(walk: _Walk, node: exp.Expr, place: Place) -> Place:
    return walk.one_left(place, TokenType.WHEN) if isinstance(node.parent, exp.Case) else place


def _ordered(walk: _Walk, _node: exp.Expr, place: Place) -> Place:
    place = walk.right(place, TokenType.ASC, TokenType.DESC)
    while walk.kind(place[1] + 1) and walk.tokens[place[1] + 1].text.upper() in ("NULLS", "FIRST", "LAST"):
        place = (place[0], place[1] + 1)
    return place


def _subquery(walk: _Walk, node: exp.Expr, place: Place) -> Place:
    """Its brackets stand around the query inside; an alias may follow."""
    inner = walk.found.get(id(node.this), place)
    around = walk.bracketed(inner)
    return min(around[0], place[0]), max(around[1], place[1])


def _collate(walk: _Walk, _node: exp.Expr, place: Place) -> Place:
    return place[0], place[1] + 2 if walk.kind(place[1] + 1) == TokenType.COLLATE else place[1]


def _closed(walk: _Walk, _node: exp.Expr, place: Place) -> Place:
    return walk.closed(place)


def _bracketed(walk: _Walk, _node: exp.Expr, place: Place) -> Place:
    return walk.bracketed(place)


def _after(*kinds: TokenType) -> Callable[[_Walk, exp.Expr, Place], Place]:
    """A node that starts with one of these keywords."""
    return lambda walk, _node, place: walk.one_left(place, *kinds)


def _after_all(*kinds: TokenType) -> Callable[[_Walk, exp.Expr, Place], Place]:
    """A node that starts with several of these keywords."""
    return lambda walk, _node, place: walk.left(place, *kinds)


def _limit(walk: _Walk, _node: exp.Expr, place: Place) -> Place:
    return walk.back_to(place, TokenType.LIMIT)


_WIDEN: dict[type[exp.Expr], Callable[[_Walk, exp.Expr, Place], Place]] = {
    exp.Select: _select,
    exp.From: _after(TokenType.FROM),
    exp.Join: _join,
    exp.Where: _after(TokenType.WHERE),
    exp.Group: _after(TokenType.GROUP_BY),
    exp.Having: _after(TokenType.HAVING),
    exp.Order: _after(TokenType.ORDER_BY),
    exp.Ordered: _ordered,
    exp.Limit: _limit,
    exp.Offset: _after(TokenType.OFFSET),
    exp.With: _after_all(TokenType.WITH, TokenType.RECURSIVE),
    exp.CTE: _closed,
    exp.TableAlias: _closed,
    exp.Distinct: _after(TokenType.DISTINCT),
    exp.Not: _not,
    exp.Neg: _after(TokenType.DASH),
    exp.BitwiseNot: _after(TokenType.TILDE),
    exp.Paren: _bracketed,
    exp.Tuple: _bracketed,
    exp.Subquery: _subquery,
    exp.Exists: _exists,
    exp.In: _closed,
    exp.Case: _case,
    exp.If: _when,
    exp.Cast: _cast,
    exp.Collate: _collate,
    exp.Window: _closed,
    exp.Filter: _closed,
}
