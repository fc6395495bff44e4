"""When two results are the same table: bags (or lists) of rows, columns in any order, names ignored.

Verdicts follow test-suite-sql-eval (Zhong et al. 2020, `result_eq`); the search for the column order does
not. There it enumerates products of columns; here a backtracking refines both tables column by column.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

Column = tuple[object, ...]
Table = Sequence[tuple[object, ...]]
"""Rows of equal width. Cells compare as Python does: 1 == 1.0, '1' != 1, None == None."""


def same_table(gold: Table, predicted: Table, *, ordered: bool, compat: bool = False) -> bool:
    """Whether some order of the predicted columns makes both tables equal.

    Args:
        gold: rows of the reference.
        predicted: rows of the candidate.
        ordered: rows compare as lists; otherwise as bags.
        compat: first apply the official quick rejection, which sorts the cells of a row by their text and so
            refuses some equal rows of mixed integers and floats.

    >>> same_table([(1, "a"), (2, "b")], [("b", 2), ("a", 1)], ordered=False)
    True
    >>> same_table([(1,), (2,)], [(2,), (1,)], ordered=True)
    False
    """
    if not gold and not predicted:
        return True
    if len(gold) != len(predicted) or len(gold[0]) != len(predicted[0]):
        return False
    if compat and _quickly_rejected(gold, predicted, ordered=ordered):
        return False
    left, right = list(zip(*gold, strict=True)), list(zip(*predicted, strict=True))
    if ordered:
        return Counter(left) == Counter(right)
    return _same_bags(left, right)


def _quickly_rejected(gold: Table, predicted: Table, *, ordered: bool) -> bool:
    left, right = [_by_text(row) for row in gold], [_by_text(row) for row in predicted]
    return left != right if ordered else set(left) != set(right)


def _by_text(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(sorted(row, key=lambda cell: str(cell) + str(type(cell))))


def _same_bags(gold: list[Column], predicted: list[Column]) -> bool:
    """Match columns one after another; rows that agree so far share a group number on both sides.

    Args:
        gold: columns of the reference, each as long as the table.
        predicted: columns of the candidate.
    """
    numbers: dict[object, int] = {}
    wanted, found = _colours(gold, numbers), _colours(predicted, numbers)
    if Counter(wanted) != Counter(found):
        return False
    edges = [[j for j, colour in enumerate(found) if colour == want] for want in wanted]
    order = sorted(range(len(gold)), key=lambda i: len(edges[i]))
    height = len(gold[0])

    def match(depth: int, used: frozenset[int], left: list[int], right: list[int]) -> bool:
        if depth == len(order):
            return True
        tried: set[tuple[object, ...]] = set()
        for j in edges[order[depth]]:
            # a column equal to one that failed here fails as well; without this, 30 equal columns never end
            if j in used or predicted[j] in tried:
                continue
            tried.add(predicted[j])
            number = _numbering()
            refined = number(left, gold[order[depth]])
            challenger = number(right, predicted[j])
            same = Counter(refined) == Counter(challenger)
            if same and match(depth + 1, used | {j}, refined, challenger):
                return True
        return False

    return match(0, frozenset(), [0] * height, [0] * height)


def _colours(columns: list[Column], numbers: dict[object, int]) -> list[int]:
    """Number columns so that only columns of one number can stand for each other.

    A column starts as the bag of its cells. Wider tables are refined as graphs (Weisfeiler and Leman 1968):
    rows by the columns their cells stand in, columns by the rows, twice.
    """

    def number(key: object) -> int:
        return numbers.setdefault(key, len(numbers))

    colours = [number(_bag(column)) for column in columns]
    for _ in range(2 if len(columns) > 3 else 0):
        rows = [number(_bag(zip(colours, row, strict=True))) for row in zip(*columns, strict=True)]
        colours = [
            number((c, _bag(zip(rows, col, strict=True)))) for c, col in zip(colours, columns, strict=True)
        ]
    return colours


def _bag(cells: Iterable[object]) -> frozenset[tuple[object, int]]:
    return frozenset(Counter(cells).items())


def _numbering() -> Callable[[list[int], tuple[object, ...]], list[int]]:
    """Number pairs of (group, cell) so that equal pairs get equal numbers, over all calls."""
    numbers: dict[tuple[int, object], int] = {}

    def number(groups: list[int], column: tuple[object, ...]) -> list[int]:
        return [numbers.setdefault(pair, len(numbers)) for pair in zip(groups, column, strict=True)]

    return number
