"""An inverted index over a schema: how much a question speaks of each table and column, in milliseconds.

Words of names, comments and sampled rows point to where they stand, so that a question's words are looked up
and no column is gone through. Rare words count more, as in Robertson's BM25 (inverse document frequency over
tables). A table also counts what its neighbours by keys are asked for, so that tables of one subject stand
together.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from critiql.tools.linking.keys import neighbours
from critiql.tools.linking.link import Link, content_words
from critiql.tools.linking.per_schema import per_schema
from critiql.tools.schema.model import Schema
from critiql.tools.sql.names import words

Place = tuple[str, str | None]
"""Table and column; None stands for the table itself."""
Weights = dict[Place, float]

IN_COMMENT = 0.5
"""Weight of a word in a comment; in a name it is 1."""
IN_ROWS = 0.6
"""Weight of a word in a sampled row."""
ALIKE = 0.5
"""Weight of a word that begins like, or holds, or stands in a word of the question."""
NAMES_TABLE = 1.6
"""How much more a table's own name counts than a column's."""
NEAR = 0.5
"""Share of a neighbour's weight that a table has of words it has not itself."""
LEAD = 4
"""First letters by which two words are taken for forms of one, and fewest letters of one inside another."""
STRONG = 0.5
"""Weight from which a table counts as one that has the word."""
LONGEST_CELL = 60
"""Characters; words of longer cells are not kept."""


class Relevance(NamedTuple):
    """How much a question speaks of each table and column; those it does not speak of are missing."""

    tables: Mapping[str, float]
    columns: Mapping[tuple[str, str], float]


class ColumnIndex:
    """The index of one schema. It does not change, so threads may share it."""

    def __init__(self, schema: Schema) -> None:
        """Read names, comments and sampled rows of the schema once."""
        self._tables = len(schema.tables)
        self.near = neighbours(schema)
        """The tables that a key joins to each."""
        self._names = _names(schema)
        self._cells = _cells(schema)
        self._known = sorted(self._names)
        self._text = "\n" + "\n".join(self._known)
        lengths = [len(word) + 1 for word in self._known]
        self._starts = [start + 1 for start in accumulate(lengths, initial=0)]

    def relevance(self, question: str, links: Sequence[Link] = ()) -> Relevance:
        """How much the question speaks of each table and column.

        Args:
            question: the question as asked.
            links: values that were looked up in the whole database; links to names add nothing.
        """
        own: dict[str, dict[str, float]] = defaultdict(dict)
        columns: dict[tuple[str, str], float] = defaultdict(float)
        stored = _stored(links)
        for word in _said(question):
            hits = self._places(word)
            for place, weight in stored.get(word, {}).items():
                hits[place] = max(weight, hits.get(place, 0.0))
            rarity = self._rarity(hits)
            for (table, column), weight in hits.items():
                counted = weight * rarity * (NAMES_TABLE if column is None else 1.0)
                own[table][word] = max(counted, own[table].get(word, 0.0))
                if column is not None:
                    columns[table, column] += counted
        return Relevance(self._with_neighbours(own), columns)

    def _places(self, word: str) -> Weights:
        """Where a word stands, as it is or alike."""
        hits: Weights = dict.fromkeys(self._cells.get(word, ()), IN_ROWS)
        for other in self._alike(word):
            share = 1.0 if other == word else ALIKE
            for place, weight in self._names[other].items():
                hits[place] = max(share * weight, hits.get(place, 0.0))
        return hits

    def _alike(self, word: str) -> set[str]:
        """Words of names that are this one, begin like it, hold it, or stand in it."""
        found = {word} if word in self._names else set()
        if len(word) >= LEAD:
            found.update(self._holding(word))
        if len(word) >= LEAD - 1:
            found.update(self._holding("\n" + word[:LEAD]))
            found.update(part for part in _parts(word) if part in self._names)
        return found

    def _holding(self, piece: str) -> Iterator[str]:
        """Words of names that hold a piece; after a line break, those that start with it."""
        place = self._text.find(piece)
        while place >= 0:
            yield self._known[bisect_right(self._starts, place + 1) - 1]
            place = self._text.find(piece, place + 1)

    def _rarity(self, hits: Weights) -> float:
        """The inverse document frequency of a word, with tables for documents."""
        having = len({table for (table, _), weight in hits.items() if weight >= STRONG})
        return math.log(1 + self._tables / (0.5 + having))

    def _with_neighbours(self, own: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """The sum of a table's words, and a share of what its neighbours have beyond them."""
        around: dict[str, dict[str, float]] = defaultdict(dict)
        for table, mine in own.items():
            for other in self.near[table]:
                theirs = around[other]
                for word, weight in mine.items():
                    theirs[word] = max(weight, theirs.get(word, 0.0))
        total = {table: sum(mine.values()) for table, mine in own.items()}
        for table, theirs in around.items():
            mine = own.get(table, {})
            more = sum(max(0.0, weight - mine.get(word, 0.0)) for word, weight in theirs.items())
            total[table] = total.get(table, 0.0) + NEAR * more
        return total


def column_index(schema: Schema) -> ColumnIndex:
    """The index of a schema, made when it is first asked for."""
    return per_schema(schema, "columns", lambda: ColumnIndex(schema))


def _names(schema: Schema) -> dict[str, Weights]:
    """Word -> where it stands in a name or comment."""
    found: dict[str, Weights] = defaultdict(dict)
    for table in schema.tables:
        named: list[tuple[str | None, str, str]] = [(None, table.name, table.comment)]
        named += [(column.name, column.name, column.comment) for column in table.columns]
        for column, name, comment in named:
            found_here = dict.fromkeys(words(comment), IN_COMMENT) | dict.fromkeys(words(name), 1.0)
            for word, weight in found_here.items():
                found[word][table.name, column] = weight
    return dict(found)


def _cells(schema: Schema) -> dict[str, set[Place]]:
    """Word -> the columns in whose sampled rows it stands."""
    found: dict[str, set[Place]] = defaultdict(set)
    for table in schema.tables:
        for row in schema.samples.get(table.name, ()):
            for column, cell in zip(table.columns, row, strict=True):
                if isinstance(cell, str) and len(cell) <= LONGEST_CELL:
                    for word in words(cell):
                        found[word].add((table.name, column.name))
    return dict(found)


def _said(question: str) -> list[str]:
    """The different words that may name something, in the order of the question."""
    plain = question.replace("'s", "").replace("’s", "")
    return list(dict.fromkeys(part for word in content_words(plain) for part in words(word)))


def _stored(links: Sequence[Link]) -> dict[str, Weights]:
    """Word -> the columns that hold a value which it is part of."""
    found: dict[str, Weights] = defaultdict(dict)
    for each in links:
        for word in words(each.span.text) if each.value is not None else ():
            found[word][each.table, each.column] = each.score / 100
    return found


def _parts(word: str) -> set[str]:
    """What may stand in a word: its first three letters, and every piece of at least four."""
    pieces = {word[start:end] for start in range(len(word)) for end in range(start + LEAD, len(word) + 1)}
    return {word[: LEAD - 1]} | pieces
