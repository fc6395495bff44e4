"""Functions of other engines in SQLite's own words: `YEAR(d)` is `CAST(STRFTIME('%Y', d) AS INTEGER)`.

Small models write the dialect that they have seen most. Only what means the same on ISO dates is said anew.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

_PARTS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "HOUR": "%H", "MINUTE": "%M", "SECOND": "%S"}
_STARTS = {"YEAR": "%Y-01-01", "MONTH": "%Y-%m-01", "DAY": "%Y-%m-%d"}
_MYSQL_CODES = {"%Y": "%Y", "%m": "%m", "%d": "%d", "%H": "%H", "%i": "%M", "%s": "%S"}
_POSTGRES_CODES = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S"}
_BETWEEN_CODES = "-/.: T"
"""What may stand between the codes of a format."""

Arguments = Sequence[exp.Expr]
Writer = Callable[[Arguments], exp.Expr | None]
"""The call in SQLite's words; None for arguments that have no such form."""


def in_sqlite(tree: exp.Query) -> exp.Query | None:
    """A copy of the query with every foreign function said anew; None where there is none that can be.

    Args:
        tree: as `parse` reads it, which leaves the names of calls as they were written.
    """
    copy = tree.copy()
    changed = False
    for node in list(copy.find_all(exp.Anonymous)):
        write = _WRITERS.get((node.name.upper(), len(node.expressions)))
        said = write(node.expressions) if write else None
        if said is not None:
            node.replace(said)
            changed = True
    return copy if changed else None


def _part_of(unit: str) -> Writer:
    return lambda arguments: _part(unit, arguments[0])


def _date_part(arguments: Arguments) -> exp.Expr | None:
    return _part(arguments[0].name.upper(), arguments[1])


def _part(unit: str, day: exp.Expr) -> exp.Expr | None:
    code = _PARTS.get(unit)
    return exp.cast(_strftime(code, day), "INTEGER", dialect="sqlite") if code else None


def _date_trunc(arguments: Arguments) -> exp.Expr | None:
    code = _STARTS.get(arguments[0].name.upper())
    return _strftime(code, arguments[1]) if code else None


def _strftime(code: str, day: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="STRFTIME", expressions=[exp.Literal.string(code), day.copy()])


def _formatted(codes: Mapping[str, str]) -> Writer:
    def write(arguments: Arguments) -> exp.Expr | None:
        day, wanted = arguments
        said = _format(wanted.name, codes) if wanted.is_string else None
        return _strftime(said, day) if said else None

    return write


def _format(rest: str, codes: Mapping[str, str]) -> str | None:
    said = ""
    while rest:
        code = next((code for code in codes if rest.startswith(code)), rest[0])
        if code not in codes and code not in _BETWEEN_CODES:
            return None
        said += codes.get(code, code)
        rest = rest[len(code) :]
    return said


def _concat(arguments: Arguments) -> exp.Expr:
    joined = arguments[0].copy()
    for other in arguments[1:]:
        joined = exp.DPipe(this=joined, expression=other.copy())
    return exp.paren(joined)


def _now(name: str) -> Writer:
    return lambda _: exp.Anonymous(this=name, expressions=[exp.Literal.string("now")])


_WRITERS: Mapping[tuple[str, int], Writer] = {
    **{(unit, 1): _part_of(unit) for unit in _PARTS},
    **{("CONCAT", count): _concat for count in range(2, 9)},
    ("DATE_PART", 2): _date_part,
    ("DATE_TRUNC", 2): _date_trunc,
    ("DATE_FORMAT", 2): _formatted(_MYSQL_CODES),
    ("TO_CHAR", 2): _formatted(_POSTGRES_CODES),
    ("CURDATE", 0): _now("DATE"),
    ("NOW", 0): _now("DATETIME"),
}
"""By the name of the call and the number of its arguments."""
