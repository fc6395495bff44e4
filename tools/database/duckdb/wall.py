"""Whether a statement may run on DuckDB: by the engine's own tree, and under a policy by its own plan.

The tree must be of known kinds, call listed functions and name relations of this database, in the
statement and in every view and macro it names. Under a policy the engine then binds the statement, unless
all that these name is plain tables no list is about; what its plan scans is held to the lists. What cannot be
told is denied, and the sentence says which part.
"""

import json
from typing import Any

from critiql.tools.database.duckdb.catalog import KNOWN_FUNCTION_SQL, Catalog
from critiql.tools.database.duckdb.forms import explained, pivoted
from critiql.tools.database.duckdb.functions import CATALOGUE, FUNCTIONS, TABLE_FUNCTIONS
from critiql.tools.database.duckdb.plan import Plan, UnknownStepError, read_plan
from critiql.tools.database.duckdb.reading import Reading, Relation, UnknownPartError, read_tree
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import SELECT_ONLY, Refusal

TREE_SQL = "SELECT json_serialize_sql($1)"
PLAN_SQL = "SELECT json_serialize_plan($1, optimize := false)"
OPEN_TABLE_FUNCTIONS = TABLE_FUNCTIONS | CATALOGUE
"""What may be called in FROM without a policy."""
CATALOGUE_PREFIXES = ("duckdb_", "pg_", "pragma_", "sqlite_")
PATH_MARKS = frozenset("./\\:*?[")
"""A name with one of these that is no table's may be a file's."""


def unoptimised(connection: Any) -> Any:
    """A second connection for short questions: what the optimiser takes is a third of their time."""
    found = connection.cursor()
    found.execute("PRAGMA disable_optimizer")
    return found


class NoTreeError(Exception):
    """The engine's parser gives no tree: not one SELECT, or none at all."""


class DeniedError(Exception):
    """Carries a refusal out of the checks."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _deny(message: str, name: str | None = None, kind: str = "denied") -> DeniedError:
    return DeniedError(Refusal(kind, message, name))


class Wall:
    """Holds statements of one connection to what may run."""

    def __init__(self, connection: Any, policy: AccessPolicy, catalog: Catalog) -> None:
        self._connection = connection
        self._asked = unoptimised(connection)
        self._statements = {text: self._asked.extract_statements(text)[0] for text in (TREE_SQL, PLAN_SQL)}
        self._policy = policy
        self._catalog = catalog
        self._denied_tables = policy.deny_tables
        self._narrowed = {pair.rpartition(".")[0] for pair in policy.deny_columns}
        self._is_open = policy == AccessPolicy()
        self._readings: dict[str, Reading] = {}
        """Of the texts of views and macros."""

    def interrupt(self) -> None:
        """Stop what the engine is asked about a statement."""
        self._asked.interrupt()

    def close(self) -> None:
        """Close the second connection, on which the engine is asked."""
        self._asked.close()

    def refusal(self, sql: str) -> Refusal | None:
        """Why one SELECT may not run, or None.

        Raises:
            NoTreeError: the text is not one SELECT with a tree.
        """
        try:
            self._check(sql, self._read(sql))
        except DeniedError as denied:
            return denied.refusal
        return None

    def refusal_of_explain(self, sql: str) -> Refusal | str:
        """The EXPLAIN to run instead, made of known words and a query that may run, or why there is none."""
        parts = explained(sql)
        if parts is None:
            return Refusal("denied", "this form of EXPLAIN cannot be read: write EXPLAIN and the query")
        try:
            refusal = self.refusal(parts.query)
        except NoTreeError:
            refusal = Refusal("denied", "only a query that gives its columns can be explained here")
        return refusal or parts.head + parts.query

    def refusal_of_pivot(self, sql: str) -> Refusal | None:
        """Why a query with PIVOT over values to be found may not run, or None."""
        form = pivoted(sql)
        unread = Refusal("denied", "this PIVOT cannot be read safely: write ON column IN (values)")
        if form is None:
            return unread
        try:
            reading = self._read(form.text)
            if sorted(set(form.marks) & set(reading.pivoted)) != sorted(form.marks):
                return unread
            self._check(form.text, reading)
        except NoTreeError:
            return unread
        except DeniedError as denied:
            return denied.refusal
        return None

    def _read(self, sql: str) -> Reading:
        tree = self._ask(TREE_SQL, sql)
        if tree["error"] or len(tree["statements"]) != 1:
            raise NoTreeError
        try:
            reading = read_tree(tree)
        except UnknownPartError as error:
            raise _deny(f"the statement has a part that is not known to be safe: {error}") from None
        if reading.writes:
            raise _deny(SELECT_ONLY)
        return reading

    def _ask(self, question: str, sql: str) -> Any:
        try:
            return json.loads(self._asked.execute(self._statements[question], [sql]).fetchone()[0])
        except RecursionError:
            raise _deny("the statement is nested too deeply", kind="too_large") from None

    def _check(self, sql: str, reading: Reading) -> None:
        if reading.has_parameter:
            raise _deny("the statement has parameters ($1, ?), which have no value here", kind="syntax")
        self._check_calls(reading)
        for relation in reading.relations:
            self._check_relation(relation)
        reached = self._reached(reading)
        if self._is_open:
            return
        self._check_shown(reading)
        for relation in {relation for each in reached for relation in each.relations}:
            if relation.name in self._denied_tables:
                raise _deny(f"the table {relation.name} may not be read here", relation.name)
        self._check_columns_of_views(reached)
        if not all(self._is_plain(path) for each in reached for path in each.named):
            self._check_plan(self._plan(sql), self._through_views(reading))

    def _is_plain(self, path: tuple[str, ...]) -> bool:
        """Whether a name can only be a view, whose text is read too, or a table that may be read whole.

        A plan that names nothing else could only scan such tables.
        """
        name = path[-1]
        if not {*path[:-1]} <= {self._catalog.database, self._catalog.schema}:
            return False
        if name in self._catalog.views:
            return name not in self._catalog.tables
        return name in self._catalog.tables and name not in self._narrowed and self._policy.allows_table(name)

    def _check_calls(self, reading: Reading) -> None:
        for name in sorted(reading.functions - FUNCTIONS - set(self._catalog.macros)):
            raise self._uncallable(name)
        allowed = OPEN_TABLE_FUNCTIONS if self._is_open else TABLE_FUNCTIONS
        for name in sorted(reading.table_functions - allowed - set(self._catalog.macros)):
            raise self._uncallable(name)

    def _uncallable(self, name: str) -> DeniedError:
        if self._connection.execute(KNOWN_FUNCTION_SQL, [name]).fetchone()[0]:
            return _deny(f"the function {name} may not be called here", name)
        return _deny(f"there is no function {name}", name, "no_such_function")

    def _check_relation(self, relation: Relation) -> None:
        name, qualifiers = relation.name, relation.path[:-1]
        if not self._is_open:
            self._check_listed(name, qualifiers)
        if unknown := [part for part in qualifiers if part not in self._catalog.qualifiers]:
            raise _deny(f"there is no schema {unknown[0]}", unknown[0], "no_such_table")
        if name in self._catalog.tables or name in self._catalog.views:
            return
        if name.startswith(CATALOGUE_PREFIXES) and name not in CATALOGUE:
            raise _deny(f"{name} may not be read here", name)
        if not PATH_MARKS.isdisjoint(name):
            raise _deny(f"{name} is no table of this database, and files may not be read here", name)

    def _check_listed(self, name: str, qualifiers: tuple[str, ...]) -> None:
        """A relation that the statement itself names: of the plain schema, and on the lists."""
        is_plain = set(qualifiers) <= {self._catalog.database, self._catalog.schema}
        if not is_plain or name.startswith(CATALOGUE_PREFIXES):
            named = ".".join((*qualifiers, name))
            raise _deny(f"{named} may not be used here: only listed tables may be read", named)
        is_known = name in self._catalog.tables or name in self._catalog.views
        if is_known and not self._policy.allows_table(name):
            raise _deny(f"the table {name} may not be read here", name)

    def _check_shown(self, reading: Reading) -> None:
        if reading.shows - {"SUMMARY"}:
            raise _deny("DESCRIBE and SHOW may not be used here: they name what is hidden")

    def _reached(self, reading: Reading) -> list[Reading]:
        """The reading, and those of all views and macros that it names, directly or through others."""
        reached, seen, waiting = [reading], set[str](), [reading]
        while waiting:
            current = waiting.pop()
            names = {relation.name for relation in current.relations} & set(self._catalog.views)
            calls = (current.functions | current.table_functions) & set(self._catalog.macros)
            for name in sorted((names | calls) - seen):
                seen.add(name)
                for text in (*self._catalog.views.get(name, ()), *self._catalog.macros.get(name, ())):
                    inner = self._inner(name, text)
                    reached.append(inner)
                    waiting.append(inner)
        return reached

    def _inner(self, name: str, text: str | None) -> Reading:
        """The reading of a view's or macro's text, whose calls are held to the same lists."""
        if text is None:
            raise _deny(f"what {name} reads cannot be told", name)
        if text not in self._readings:
            try:
                reading = self._read(text)
            except NoTreeError:
                raise _deny(f"what {name} reads cannot be told", name) from None
            self._check_calls(reading)
            self._readings[text] = reading
        return self._readings[text]

    def _through_views(self, reading: Reading) -> frozenset[str]:
        """Tables that the views named in the statement read, which an allow-list need not hold."""
        views = [relation for relation in reading.relations if relation.name in self._catalog.views]
        reached = self._reached(Reading(relations=views))[1:]
        return frozenset(relation.name for each in reached for relation in each.relations)

    def _check_columns_of_views(self, reached: list[Reading]) -> None:
        """A denied column of a view is no column of a table: held to names, since the plan has no views."""
        for pair in sorted(self._policy.deny_columns):
            view, _, column = pair.rpartition(".")
            for reading in reached if view in self._catalog.views else ():
                named = [relation for relation in reading.relations if relation.name == view]
                if named and _may_read(reading, named, column):
                    raise _deny(f"the column {pair} may not be read here", pair)

    def _plan(self, sql: str) -> Plan:
        reply = self._ask(PLAN_SQL, sql)
        if reply["error"]:
            self._connection.execute(f"EXPLAIN {sql}")  # raises what is wrong with the query, if it is that
            raise _deny(f"what the statement reads cannot be told: {reply['error_message']}")
        try:
            return read_plan(reply)
        except UnknownStepError as error:
            raise _deny(f"what the statement reads cannot be told: {error}") from None

    def _check_plan(self, plan: Plan, through_views: frozenset[str]) -> None:
        if unlisted := sorted(plan.functions - TABLE_FUNCTIONS):
            raise _deny(f"the function {unlisted[0]} may not be called here", unlisted[0])
        for scan in plan.scans:
            is_plain = scan.schema == self._catalog.schema
            is_listed = is_plain and self._policy.allows_table(scan.table)
            if not is_listed and (scan.table in self._denied_tables or scan.table not in through_views):
                raise _deny(f"the table {scan.table} may not be read here", scan.table)
            for column in sorted(scan.columns):
                if not self._policy.allows_column(scan.table, column):
                    pair = f"{scan.table}.{column}"
                    raise _deny(f"the column {pair} may not be read here", pair)


def _may_read(reading: Reading, named: list[Relation], column: str) -> bool:
    """Whether a query may read a column of a view it names: by the column's name, all columns, or the row."""
    rows = {relation.alias for relation in named}
    return (
        reading.takes_all
        or any(relation.renames for relation in named)
        or any(
            column in parts or (rows & {parts[0], parts[-1]} and len(parts) == 1) for parts in reading.columns
        )
    )
