"""The names of a schema by their words, so that no name is gone through for a span of a question."""

from collections import defaultdict
from collections.abc import Sequence

from critiql.tools.linking.per_schema import per_schema
from critiql.tools.schema.model import Schema
from critiql.tools.sql.names import words

Name = tuple[str, str | None, tuple[str, ...]]
"""Table, column (None for the table itself), and the words of the name."""


class NameIndex:
    """Tables, then columns, in the order of the schema. It does not change, so threads may share it."""

    def __init__(self, schema: Schema) -> None:
        """Read all names once."""
        tables: list[Name] = [(table.name, None, words(table.name)) for table in schema.tables]
        columns: list[Name] = [
            (table.name, each.name, words(each.name)) for table in schema.tables for each in table.columns
        ]
        self._names = [*tables, *columns]
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_whole: dict[str, list[int]] = defaultdict(list)
        for number, (_, _, name) in enumerate(self._names):
            self._by_whole["".join(name)].append(number)
            for word in set(name):
                self._by_word[word].append(number)

    def holding(self, said: Sequence[str]) -> list[Name]:
        """Names that have all of these words, or the same letters however they are cut, in order."""
        having = [set(self._by_word.get(word, ())) for word in said]
        found = set.intersection(*having) if having else set()
        return [self._names[number] for number in sorted(found.union(self._by_whole.get("".join(said), ())))]


def name_index(schema: Schema) -> NameIndex:
    """The index of a schema, made when it is first asked for."""
    return per_schema(schema, "names", lambda: NameIndex(schema))
