"""A star: the table whose rows are counted or added up, and the tables that a row leads to by its references.

A join along these references repeats no row, so that counts and totals are right over all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from critiql.tools.schema.model import ForeignKey, Schema, Table
from critiql.tools.schema.quoting import quote_name
from critiql.tools.shapes.columns import days_of, names_of
from critiql.tools.shapes.periods import When
from critiql.tools.shapes.words import plural, singular

HOPS = 3
"""References that are followed one after another."""
_TAKEN = frozenset(("as", "at", "by", "do", "go", "if", "in", "is", "no", "of", "on", "or", "to"))
"""Short words that are none for an alias."""


@dataclass(frozen=True)
class Step:
    """One join: the table that refers, and its key."""

    source: str
    key: ForeignKey


@dataclass(frozen=True)
class Dated:
    """A day of each measured row."""

    table: str
    when: When
    years: tuple[int, ...]
    """Those that sample rows show."""

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Years and those after them, of sample rows as far as these show both."""
        after = [(year, year + 1) for year in self.years]
        return [pair for pair in after if pair[1] in self.years] or after


@dataclass(frozen=True)
class Star:
    """The measured table with those that it leads to."""

    schema: Schema
    table: Table
    steps: dict[str, Step]
    """Per table that it leads to, how it is joined."""
    alias: dict[str, str]
    """Per table, the measured one first."""

    @property
    def many(self) -> str:
        """The measured rows in words."""
        return plural(self.table.name)

    @property
    def one(self) -> str:
        """One of them in words."""
        return singular(self.table.name)

    def q(self, name: str) -> str:
        """A name as the engine needs it."""
        return quote_name(name, self.schema.dialect)

    def column(self, table: str, column: str) -> str:
        """A column with the table's alias."""
        return f"{self.alias[table]}.{self.q(column)}"

    def columns(self, table: Table, names: Sequence[str]) -> str:
        """Columns as a query shows them."""
        return ", ".join(self.column(table.name, name) for name in names)

    def group(self, table: Table, shown: Sequence[str] = ()) -> str:
        """What rows of one thing have in common; DuckDB asks for every shown column too."""
        names = dict.fromkeys([*table.primary_key, *(shown if self.schema.dialect == "duckdb" else ())])
        return self.columns(table, tuple(names))

    def source(self, *needed: str) -> str:
        """The FROM clause that reaches the tables."""
        order: dict[str, None] = {}
        for name in needed:
            self._reach(name, order)
        start = f"{self.q(self.table.name)} AS {self.alias[self.table.name]}"
        return " ".join([start, *(self._join(name) for name in order)])

    def _reach(self, name: str, order: dict[str, None]) -> None:
        step = self.steps.get(name)
        if step is not None and name not in order:
            self._reach(step.source, order)
            order[name] = None

    def _join(self, name: str) -> str:
        step = self.steps[name]
        pairs = zip(step.key.to_columns, step.key.columns, strict=True)
        on = " AND ".join(f"{self.column(name, own)} = {self.column(step.source, its)}" for own, its in pairs)
        return f"JOIN {self.q(name)} AS {self.alias[name]} ON {on}"

    def things(self) -> list[Table]:
        """What the rows belong to: tables with a key and a name."""
        reached = (self.schema.by_name[name.casefold()] for name in self.steps)
        return [table for table in reached if len(table.primary_key) == 1 and names_of(table)]

    def bundles(self) -> list[Table]:
        """Tables without a name of their own whose rows hold measured rows, as an order holds its items."""
        reached = [
            self.schema.by_name[name.casefold()]
            for name, step in self.steps.items()
            if step.source == self.table.name
        ]
        return [table for table in reached if len(table.primary_key) == 1 and not names_of(table)]

    def days(self) -> list[Dated]:
        """Days of a row: its own, or else those of what holds it."""
        for table in (self.table, *self.bundles()):
            found = days_of(self.schema, table)
            if found:
                return [
                    Dated(
                        table.name,
                        When(self.column(table.name, day.column), day.typed, self.schema.dialect),
                        day.years,
                    )
                    for day in found
                ]
        return []


def stars_of(schema: Schema) -> Iterator[Star]:
    """One star a table, views left out."""
    for table in schema.tables:
        if not table.is_view:
            steps = _steps(schema, table)
            yield Star(schema, table, steps, _aliases([table.name, *steps]))


def _steps(schema: Schema, table: Table) -> dict[str, Step]:
    """How each table is reached by the shortest way; one that two ways reach at once is left out."""
    steps: dict[str, Step] = {}
    seen, level = {table.name}, [table]
    for _ in range(HOPS):
        found: dict[str, list[Step]] = {}
        for child in level:
            for key in child.foreign_keys:
                parent = schema.table(key.to_table)
                if parent is not None and parent.name not in seen:
                    found.setdefault(parent.name, []).append(Step(child.name, key))
        seen |= found.keys()
        clear = {name: ways[0] for name, ways in found.items() if len(ways) == 1}
        steps |= clear
        level = [schema.by_name[name.casefold()] for name in clear]
    return steps


def _aliases(names: Sequence[str]) -> dict[str, str]:
    """First letters of each name, told apart by a number."""
    aliases: dict[str, str] = {}
    for name in names:
        letters = "".join(word[0] for word in name.lower().split("_") if word)[:2]
        base = letters if letters.isascii() and letters.isalpha() and letters not in _TAKEN else "t"
        number = 1 + sum(alias.rstrip("0123456789") == base for alias in aliases.values())
        aliases[name] = base if number == 1 else f"{base}{number}"
    return aliases
