"""The sample database for another engine: `python -m critiql.tools.database.sample.script postgres`.

Load it with psql, mariadb or duckdb; it is the same rows, with the types such a database would have.
"""

import random
import sys
from collections.abc import Sequence

from critiql.tools.database.sample.build import SCHEMA, SEED, tables

DIALECTS = ("postgres", "mysql", "duckdb")


def script(dialect: str) -> str:
    """Statements that make the tables and fill them; numbers as doubles, days as dates.

    Raises:
        ValueError: the dialect is none of `DIALECTS`.
    """
    if dialect not in DIALECTS:
        msg = f"There is no script for {dialect!r}. Name one of: {', '.join(DIALECTS)}."
        raise ValueError(msg)
    schema = SCHEMA.replace(" REAL ", " DOUBLE PRECISION ").replace("_on TEXT ", "_on DATE ")
    rows = tables(random.Random(SEED))._asdict()
    return schema + "".join(f"{_insert(table, found)}\n" for table, found in rows.items())


def _insert(table: str, rows: Sequence[Sequence[object]]) -> str:
    values = ",\n  ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"INSERT INTO {table} VALUES\n  {values};"


def _literal(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def main() -> None:
    """Print the script for the dialect that is named."""
    try:
        sys.stdout.write(script(sys.argv[1] if len(sys.argv) == 2 else ""))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
