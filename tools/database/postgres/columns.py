"""What a query reads of tables with denied columns: names resolved by scope, as PostgreSQL's analysis does.

A denied column is read by its name, by a star, by the whole row of its table (`c`, `c::text`, `(c).card`,
`c.row_to_json`), by USING and NATURAL, and under other names (`AS x (a, b)`, a joined table with an alias).
Only these tables are guarded; of everything else it is enough to know which names it may hide. Where it is
not known whether a name is one, the guarded reading counts (PostgreSQL 15, parse_relation.c, parse_target.c).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from critiql.tools.database.postgres.reading import Node, words


@dataclass(frozen=True)
class Source:
    """One table, view, query or function in a FROM clause."""

    name: str | None
    columns: tuple[str, ...] = ()
    denied: frozenset[str] = frozenset()
    """Of its columns, those that may not be read."""
    is_open: bool = False
    """Whether it may have other columns than these."""

    def renamed(self, alias: Node | None) -> "Source":
        """With the name and the column names of an alias."""
        if alias is None:
            return self
        new = words(alias.get("colnames", []))
        denied = frozenset(
            new[place] if place < len(new) else column
            for place, column in enumerate(self.columns)
            if column in self.denied
        )
        columns = (*new, *self.columns[len(new) :])
        return replace(self, name=alias["aliasname"], columns=columns, denied=denied)


class DeniedReadError(Exception):
    """The query reads what it may not; the message says which part."""

    def __init__(self, message: str, name: str | None) -> None:
        super().__init__(message)
        self.name = name
        """The table or column it is about."""


Level = list[Source]
"""The sources of one query level."""
Ctes = dict[str, Source]
Lookup = Callable[[str, str], Source]
"""From schema (perhaps empty) and name to the table there; raises DeniedReadError where there is none."""
SYSTEM_COLUMNS = ("tableoid", "ctid", "xmin", "xmax", "cmin", "cmax")
OUTPUT_CLAUSES = frozenset({"targetList", "fromClause", "sortClause", "withClause", "larg", "rarg"})
"""Clauses of a SELECT that are looked at one by one; the others are plain expressions."""


@dataclass
class Resolver:
    """Walks a query with its scopes."""

    lookup: Lookup
    read: set[tuple[str, str]] = field(default_factory=set)
    """Schema and name of every table that was looked up."""

    def select(self, node: Node, outer: list[Level], ctes: Ctes) -> Source:
        """The output of a SELECT; everything it reads has been looked at.

        Raises:
            DeniedReadError: it reads a denied column.
        """
        ctes = self._with(node.get("withClause"), outer, ctes)
        if "larg" in node:
            output = self.select(node["larg"], outer, ctes)
            self.select(node["rarg"], outer, ctes)
            self._sort(node, [[], *outer], ctes, set(output.columns))
            self._clauses(node, [[], *outer], ctes)
            return output
        level: Level = []
        for item in node.get("fromClause", ()):
            level += self._source(item, level, outer, ctes)
        scopes = [level, *outer]
        output = self._targets(node.get("targetList", ()), scopes, ctes)
        self._sort(node, scopes, ctes, set(output.columns))
        self._clauses(node, scopes, ctes)
        return output if "valuesLists" not in node else Source(None, is_open=True)

    def _clauses(self, node: Node, scopes: list[Level], ctes: Ctes) -> None:
        for name, value in node.items():
            if name not in OUTPUT_CLAUSES:
                self._walk(value, scopes, ctes)

    def _with(self, clause: Node | None, outer: list[Level], ctes: Ctes) -> Ctes:
        if clause is None:
            return ctes
        found = dict(ctes)
        entries = [entry["CommonTableExpr"] for entry in clause["ctes"]]
        if clause.get("recursive"):
            found |= {entry["ctename"]: Source(entry["ctename"], is_open=True) for entry in entries}
        for entry in entries:
            output = self.select(entry["ctequery"]["SelectStmt"], outer, found)
            alias = {"aliasname": entry["ctename"], "colnames": entry.get("aliascolnames", [])}
            is_open = output.is_open or "search_clause" in entry or "cycle_clause" in entry
            found[entry["ctename"]] = replace(output.renamed(alias), is_open=is_open)
        return found

    def _targets(self, targets: list[Node], scopes: list[Level], ctes: Ctes) -> Source:
        columns: list[str] = []
        is_open = False
        for target in targets:
            item = target["ResTarget"]
            self._walk(item["val"], scopes, ctes)
            kind, value = next(iter(item["val"].items()))
            if "name" in item:
                columns.append(item["name"])
            elif kind == "ColumnRef" and words(value["fields"])[-1] != "*":
                columns.append(words(value["fields"])[-1])
            else:
                is_open = True
                columns.append("")
        if any(item == "" for item in columns):
            # A star or an expression: how many columns it gives is not known, so places are not either.
            return Source(None, tuple(filter(None, columns)), is_open=True)
        return Source(None, tuple(columns), is_open=is_open)

    def _sort(self, node: Node, scopes: list[Level], ctes: Ctes, outputs: set[str]) -> None:
        """ORDER BY: a bare name is an output's where there is one."""
        for item in node.get("sortClause", ()):
            inner = item["SortBy"]["node"]
            fields = words(inner["ColumnRef"]["fields"]) if "ColumnRef" in inner else []
            if not (len(fields) == 1 and fields[0] in outputs):
                self._walk(item, scopes, ctes)

    def _source(self, item: Node, siblings: Level, outer: list[Level], ctes: Ctes) -> Level:
        """What one item of a FROM clause adds to its level."""
        kind, node = next(iter(item.items()))
        beside = [siblings, *outer]
        if kind == "RangeVar":
            return [self._table(node, ctes)]
        if kind == "JoinExpr":
            return self._join(node, siblings, outer, ctes)
        if kind == "RangeSubselect":
            scopes = beside if node.get("lateral") else outer
            output = self.select(node["subquery"]["SelectStmt"], scopes, ctes)
            return [output.renamed(node.get("alias"))]
        if kind == "RangeTableSample":
            self._walk({key: node[key] for key in ("args", "repeatable") if key in node}, beside, ctes)
            return self._source(node["relation"], siblings, outer, ctes)
        self._walk({key: value for key, value in node.items() if key != "alias"}, beside, ctes)
        name = node["alias"]["aliasname"] if "alias" in node else _function_name(node)
        return [Source(name, is_open=True)]

    def _table(self, node: Node, ctes: Ctes) -> Source:
        schema, name = node.get("schemaname", ""), node["relname"]
        if not schema and name in ctes:
            return replace(ctes[name], name=name).renamed(node.get("alias"))
        self.read.add((schema, name))
        return replace(self.lookup(schema, name), name=name).renamed(node.get("alias"))

    def _join(self, node: Node, siblings: Level, outer: list[Level], ctes: Ctes) -> Level:
        left = self._source(node["larg"], siblings, outer, ctes)
        right = self._source(node["rarg"], [*siblings, *left], outer, ctes)
        both = [*left, *right]
        self._shared(node, left, right)
        if "quals" in node:
            self._walk(node["quals"], [both, *outer], ctes)
        if "alias" in node:
            return [_joined(both).renamed(_checked(node["alias"], both))]
        if "join_using_alias" in node:
            using = tuple(words(node["usingClause"]))
            both.append(Source(node["join_using_alias"]["aliasname"], using))
        return both

    def _shared(self, node: Node, left: Level, right: Level) -> None:
        """Columns that USING and NATURAL compare."""
        for column in words(node.get("usingClause", [])):
            if any(column in source.denied for source in (*left, *right)):
                raise DeniedReadError(f"the column {column} may not be read here, also by USING", column)
        if not node.get("isNatural"):
            return
        for one, other in ((left, right), (right, left)):
            offered = {column for source in other for column in source.columns}
            for source in one:
                if source.denied & offered or (source.denied and any(each.is_open for each in other)):
                    message = f"NATURAL JOIN of {source.name} may compare a denied column: write ON"
                    raise DeniedReadError(message, source.name)

    def _walk(self, node: object, scopes: list[Level], ctes: Ctes) -> None:
        """Look at every name in an expression."""
        if isinstance(node, list):
            for item in node:
                self._walk(item, scopes, ctes)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key == "ColumnRef":
                    _check_column(words(value["fields"]), scopes)
                elif key == "SelectStmt":
                    self.select(value, scopes, ctes)
                else:
                    self._walk(value, scopes, ctes)


def _function_name(node: Node) -> str | None:
    """A function in FROM without an alias goes by its own name."""
    try:
        return words(node["functions"][0]["List"]["items"][0]["FuncCall"]["funcname"])[-1]
    except (KeyError, IndexError):
        return None


def _joined(both: Level) -> Source:
    columns = tuple(column for source in both for column in source.columns)
    denied = frozenset(column for source in both for column in source.denied)
    return Source(None, columns, denied, any(source.is_open for source in both))


def _checked(alias: Node, both: Level) -> Node:
    if alias.get("colnames") and any(source.denied for source in both):
        name = alias["aliasname"]
        raise DeniedReadError(f"the joined table {name} may not give its columns other names here", name)
    return alias


def _check_column(fields: list[str], scopes: list[Level]) -> None:
    """Whether a name, perhaps with its table, reads what is denied.

    Raises:
        DeniedReadError: it does, or may.
    """
    if fields == ["*"]:
        for source in scopes[0]:
            _refuse_row(source)
    elif len(fields) == 1:
        _check_plain(fields[0], scopes)
    else:
        _check_qualified(fields, scopes)


def _refuse_row(source: Source) -> None:
    if source.denied:
        column = min(source.denied)
        message = (
            f"all columns of {source.name} may not be read here, since {column} may not: name the others"
        )
        raise DeniedReadError(message, source.name)


def _check_plain(name: str, scopes: list[Level]) -> None:
    for level in scopes:
        if any(name in source.denied for source in level):
            raise DeniedReadError(f"the column {name} may not be read here", name)
        if any(name in source.columns for source in level):
            return
    for level in scopes:
        found = [source for source in level if source.name == name]
        for source in found:
            _refuse_row(source)
        if found:
            return


def _check_qualified(fields: list[str], scopes: list[Level]) -> None:
    """`table.name`. With a schema before it an alias does not count, so every level is looked at."""
    table, name = fields[-2:]
    for level in scopes:
        found = [source for source in level if source.name == table]
        for source in found:
            if name in source.denied:
                message = f"the column {table}.{name} may not be read here"
                raise DeniedReadError(message, f"{table}.{name}")
            if name == "*" or name not in (*source.columns, *SYSTEM_COLUMNS):
                _refuse_row(source)
        if found and len(fields) == 2:
            return
