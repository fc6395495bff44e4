"""Which tables and columns a statement may read, beyond what the sandbox refuses to everybody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Allow- and deny-lists by name, case ignored; the schema leaves out what is denied.

    On SQLite an allowed view may read tables that are not on the list, unless a deny-list names them. A
    statement with WITH gets no such pass, since a common table expression can take a view's name. Under any
    policy SQLite joins with ON only: it compares the columns of USING and NATURAL without asking. The number
    of rows of a table under an allowed view is not secret.
    """

    allow_tables: frozenset[str] | None = None
    """The only tables and views that may be read; None allows all."""
    deny_tables: frozenset[str] = frozenset()
    """Never readable, not even through an allowed view."""
    deny_columns: frozenset[str] = frozenset()
    """`table.column` pairs never readable, not even through a view."""

    def allows_table(self, table: str) -> bool:
        """Whether a statement may name this table or view."""
        name = table.casefold()
        if name in {denied.casefold() for denied in self.deny_tables}:
            return False
        return self.allow_tables is None or name in {allowed.casefold() for allowed in self.allow_tables}

    def allows_column(self, table: str, column: str) -> bool:
        """Whether a statement may name this column of a table it may name."""
        return f"{table}.{column}".casefold() not in {denied.casefold() for denied in self.deny_columns}

    def as_options(self) -> dict[str, list[str] | None]:
        """Case-folded lists, as a worker's session takes them."""
        return {
            "allow_tables": None
            if self.allow_tables is None
            else sorted(name.casefold() for name in self.allow_tables),
            "deny_tables": sorted(name.casefold() for name in self.deny_tables),
            "deny_columns": sorted(name.casefold() for name in self.deny_columns),
        }

    @classmethod
    def from_options(cls, lists: dict[str, list[str] | None]) -> "AccessPolicy":
        """The policy that `as_options` wrote down."""
        allow = lists["allow_tables"]
        return cls(
            None if allow is None else frozenset(allow),
            frozenset(lists["deny_tables"] or []),
            frozenset(lists["deny_columns"] or []),
        )
