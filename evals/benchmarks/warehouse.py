"""A generated warehouse of any size, for PostgreSQL and DuckDB.

`python -m critiql.evals.benchmarks.warehouse COLUMNS` prints its script; with the name of a new file behind
it the script is run into a DuckDB file. Seven tables about orders are the same at every size, and three
questions are about them. All other tables are other departments' records, with words of the questions among
their columns, and some with a key to the customers.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

SEED = 0
ROWS = 5
"""Rows of each table."""
WIDTH = 12
"""Columns of a table of another department, without its keys."""


class Known(NamedTuple):
    """A question about the seven tables."""

    text: str
    needs: tuple[str, ...]
    """table.column of all that its query reads."""
    sql: str


QUESTIONS = (
    Known(
        "How many orders did customers of the Retail segment place?",
        ("customers.customer_id", "customers.segment", "orders.customer_id"),
        "SELECT count(*) FROM orders JOIN customers USING (customer_id) WHERE segment = 'Retail'",
    ),
    Known(
        "What is the total quantity sold of each product category?",
        ("products.product_id", "products.category", "order_lines.product_id", "order_lines.quantity"),
        "SELECT category, sum(quantity) FROM order_lines JOIN products USING (product_id) GROUP BY category",
    ),
    Known(
        "Which carrier has delivered the most parcels?",
        ("carriers.carrier_id", "carriers.carrier_name", "parcels.carrier_id"),
        "SELECT carrier_name FROM carriers JOIN parcels USING (carrier_id) GROUP BY carrier_name"
        " ORDER BY count(*) DESC LIMIT 1",
    ),
)
CORE = """
CREATE TABLE cities (city_id INTEGER PRIMARY KEY, city_name TEXT, country TEXT);
CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, full_name TEXT, segment TEXT,
  city_id INTEGER REFERENCES cities(city_id));
CREATE TABLE products (product_id INTEGER PRIMARY KEY, label TEXT, category TEXT, price INTEGER);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, ordered_on TEXT, channel TEXT,
  customer_id INTEGER REFERENCES customers(customer_id));
CREATE TABLE order_lines (line_id INTEGER PRIMARY KEY, quantity INTEGER,
  order_id INTEGER REFERENCES orders(order_id), product_id INTEGER REFERENCES products(product_id));
CREATE TABLE carriers (carrier_id INTEGER PRIMARY KEY, carrier_name TEXT);
CREATE TABLE parcels (parcel_id INTEGER PRIMARY KEY, weight INTEGER,
  order_id INTEGER REFERENCES orders(order_id), carrier_id INTEGER REFERENCES carriers(carrier_id));
INSERT INTO cities VALUES (1, 'Lisbon', 'Portugal'), (2, 'Graz', 'Austria');
INSERT INTO customers VALUES (1, 'Ida Strand', 'Retail', 1), (2, 'Mei Sato', 'Trade', 2);
INSERT INTO products VALUES (1, 'Oak table', 'Tables', 90), (2, 'Ash chair', 'Chairs', 40);
INSERT INTO orders VALUES (1, '2026-01-04', 'web', 1), (2, '2026-02-11', 'shop', 1),
  (3, '2026-03-05', 'web', 2);
INSERT INTO order_lines VALUES (1, 2, 1, 1), (2, 4, 2, 2), (3, 1, 3, 1);
INSERT INTO carriers VALUES (1, 'Swift'), (2, 'Heron');
INSERT INTO parcels VALUES (1, 7, 1, 1), (2, 3, 2, 2), (3, 5, 3, 2);
"""
CORE_COLUMNS = 25
_AREAS = """
payroll fleet claims leasing audit tax hiring travel energy safety legal budget training press
fraud pension garage kitchen import export storage printing cleaning canteen archive
"""
AREAS = tuple(_AREAS.split())
_THINGS = """
batch event contract request permit ticket visit review report transfer plan task entry record
notice case shift route invoice receipt ledger forecast survey alert device meter badge room
desk vehicle tool sample license clause policy premium refund credit debit account
"""
THINGS = tuple(_THINGS.split())
_FIELDS = """
status amount created_on closed_on city_name country note quantity price category segment channel label weight
owner_name approved_by currency priority reason source version region unit rate score limit_value tax_code
due_on total comment_text grade method phase origin target period cost_center carrier_code
"""
FIELDS = tuple(_FIELDS.split())
_WORDS = "north south open closed blue high low early late new old paid held sent"
WORDS = tuple(_WORDS.split())


def statements(columns: int) -> Iterator[str]:
    """SQL that makes and fills the warehouse, parents before children.

    Args:
        columns: how many it has in all; reached to within one table.

    Raises:
        ValueError: fewer are asked for than the seven tables have.
    """
    if columns < CORE_COLUMNS:
        raise ValueError(f"The smallest warehouse has {CORE_COLUMNS} columns; {columns} were asked for.")
    yield from (part.strip() + ";" for part in CORE.strip().split(";") if part.strip())
    generator = random.Random(SEED)
    left, number = columns - CORE_COLUMNS, 0
    while left > 0:
        yield from _table(number, min(WIDTH, left), generator)
        left -= min(WIDTH, left)
        number += 1


def _table(number: int, width: int, generator: random.Random) -> Iterator[str]:
    """One table of another department; each third one has a key to the customers."""
    name = _name(number)
    keys = [(f"{name}_id", "INTEGER PRIMARY KEY")]
    if number % 3 == 0 and width > 2:
        keys.append(("customer_id", "INTEGER REFERENCES customers(customer_id)"))
    fields = generator.sample(FIELDS, width - len(keys))
    columns = [*keys, *((field, "TEXT") for field in fields)]
    yield f"CREATE TABLE {name} ({', '.join(' '.join(column) for column in columns)});"
    rows = [_row(place, len(keys), fields, generator) for place in range(1, ROWS + 1)]
    yield f"INSERT INTO {name} VALUES {', '.join(rows)};"


def _name(number: int) -> str:
    thing, area = divmod(number, len(AREAS))
    again = f"_{thing // len(THINGS) + 1}" if thing >= len(THINGS) else ""
    return f"{AREAS[area]}_{THINGS[thing % len(THINGS)]}{again}"


def _row(place: int, keys: int, fields: Sequence[str], generator: random.Random) -> str:
    cells = [str(place), *(["1"] if keys > 1 else [])]
    return f"({', '.join([*cells, *(repr(generator.choice(WORDS)) for _ in fields)])})"


def make_duckdb(path: Path, script: str) -> None:
    """Run a script into a new DuckDB file."""
    import duckdb

    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(f"BEGIN; {script} COMMIT;")


def main() -> None:
    """Print the script for a number of columns, or run it into a new DuckDB file."""
    columns, *file = sys.argv[1:]
    script = "\n".join(statements(int(columns)))
    if file:
        make_duckdb(Path(file[0]), script)
    else:
        sys.stdout.write(f"{script}\n")


if __name__ == "__main__":
    main()
