"""Years, months and days as each engine writes them."""

from dataclasses import dataclass, replace

_MONTHS = {
    "postgres": "TO_CHAR({0}, 'YYYY-MM')",
    "duckdb": "STRFTIME({0}, '%Y-%m')",
    "mysql": "DATE_FORMAT({0}, '%Y-%m')",
}
_PASSED = {
    "sqlite": "JULIANDAY({1}) - JULIANDAY({0})",
    "postgres": "{1}::date - {0}::date",
    "duckdb": "DATE_DIFF('day', {0}, {1})",
    "mysql": "DATEDIFF({1}, {0})",
}


@dataclass(frozen=True)
class When:
    """The day of a row, as an expression."""

    day: str
    typed: bool
    """A date or timestamp; else an ISO text."""
    dialect: str

    @property
    def year(self) -> str:
        """The year as an expression: a number of a date, four characters of a text."""
        return f"EXTRACT(YEAR FROM {self.day})" if self.typed else f"SUBSTR({self.day}, 1, 4)"

    @property
    def month(self) -> str:
        """The month, as YYYY-MM."""
        form = _MONTHS.get(self.dialect) if self.typed else None
        return form.format(self.day) if form else f"SUBSTR({self.day}, 1, 7)"

    def step(self, name: str) -> str:
        """The year or the month."""
        return self.year if name == "year" else self.month

    def of(self, day: str) -> "When":
        """The same for another expression of such a day."""
        return replace(self, day=day)

    def is_in(self, year: int) -> str:
        """Whether it lies in the year."""
        return f"{self.year} = {year}" if self.typed else f"{self.day} LIKE '{year}%'"

    def passed_until(self, other: "When") -> str:
        """Days from this one to another."""
        return _PASSED[self.dialect].format(self.day, other.day)
