"""Comparing results: symmetric, reflexive, blind to the order of rows and columns where it should be."""

import random
from collections import Counter
from contextlib import suppress
from itertools import islice, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sql_text import Grammar, texts

from critiql.agent.databases import rows_fingerprint
from critiql.evals.metrics.bird import same_set, soft_f1, ves_reward
from critiql.evals.metrics.equality import same_table
from critiql.evals.metrics.query_text import NoStatementError, plugged, without_distinct
from critiql.tools.database.result import Rows

pytestmark = pytest.mark.fuzz

CELLS = st.sampled_from(
    [None, 0, 1, 1.0, -0.0, 2, 0.5, 10**20, 1e20, "", "1", "a", "A", b"", b"a", float("inf"), "NaN"]
)
Table = list[tuple[object, ...]]


@st.composite
def tables(draw: st.DrawFn, width: int | None = None) -> Table:
    columns = width or draw(st.integers(1, 5))
    return draw(st.lists(st.tuples(*[CELLS] * columns), max_size=6))


@st.composite
def rearranged(draw: st.DrawFn, *, rows: bool = True) -> tuple[Table, Table]:
    """A table, and the same one with columns, and perhaps rows, in another order."""
    table = draw(tables())
    order = draw(st.permutations(range(len(table[0]) if table else 1)))
    moved = [tuple(row[i] for i in order) for row in table] if table else []
    return table, draw(st.permutations(moved)) if rows else moved


@given(rearranged())
def test_order_does_not_matter_in_a_bag(pair: tuple[Table, Table]) -> None:
    assert same_table(*pair, ordered=False)


@given(rearranged(rows=False))
def test_only_columns_may_move_in_a_list(pair: tuple[Table, Table]) -> None:
    assert same_table(*pair, ordered=True)


@given(tables(), tables(), st.booleans(), st.booleans())
def test_comparing_is_symmetric(one: Table, other: Table, ordered: bool, compat: bool) -> None:
    forwards = same_table(one, other, ordered=ordered, compat=compat)
    assert same_table(other, one, ordered=ordered, compat=compat) == forwards
    assert same_set(one, other) == same_set(other, one)


@given(tables(), st.booleans())
def test_comparing_is_reflexive(table: Table, ordered: bool) -> None:
    assert same_table(table, table, ordered=ordered)
    assert same_table(table, table, ordered=ordered, compat=True)
    assert same_set(table, table)
    assert soft_f1(table, table) == pytest.approx(1.0)


@given(st.integers(1, 4).flatmap(lambda width: st.tuples(tables(width), tables(width))), st.booleans())
def test_the_search_for_columns_agrees_with_trying_all(pair: tuple[Table, Table], ordered: bool) -> None:
    one, other = pair
    wanted = one if ordered else Counter(one)
    orders = permutations(range(len(other[0]))) if other else [()]
    moved = ([tuple(row[i] for i in order) for row in other] for order in orders)
    tried = any((found if ordered else Counter(found)) == wanted for found in moved)
    assert same_table(one, other, ordered=ordered) == (tried or (not one and not other))


@given(st.integers(1, 3).flatmap(lambda width: st.tuples(tables(width), tables(width))))
def test_scores_are_within_their_range(pair: tuple[Table, Table]) -> None:
    assert 0 <= soft_f1(*pair) <= 1
    if same_table(*pair, ordered=True):
        assert same_table(*pair, ordered=False)


@given(st.lists(st.floats(0.01, 100), max_size=8))
def test_a_reward_is_one_of_the_six(ratios: list[float]) -> None:
    assert ves_reward(ratios) in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)


@given(tables(), st.randoms(use_true_random=False))
def test_the_fingerprint_of_rows_ignores_their_order(table: Table, dice: random.Random) -> None:
    width = len(table[0]) if table else 1
    shuffled = dice.sample(table, len(table))
    names = ("c",) * width
    prints = {rows_fingerprint(Rows(names, names, tuple(rows), False, 0.0)) for rows in (table, shuffled)}  # type: ignore[arg-type]
    assert len(prints) == 1


TEXTS = texts(Grammar({"t": ["a", "b"], "u": ["a", "c"]}))


@given(TEXTS, st.booleans())
def test_any_text_loses_its_distincts(sql: str, compat: bool) -> None:
    try:
        found = without_distinct(sql, compat=compat)
    except NoStatementError:
        assert not sql.strip() or compat
    else:
        assert len(found) <= len(sql)


@given(TEXTS, TEXTS)
def test_any_text_is_plugged(gold: str, prediction: str) -> None:
    with suppress(NoStatementError):
        assert all(isinstance(sql, str) for sql in islice(plugged(gold, prediction), 5))
