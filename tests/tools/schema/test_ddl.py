"""The DDL text, byte for byte."""

from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import Column, ForeignKey, Schema, Table

SINGER = Table(
    "singer",
    (
        Column("id", "INTEGER", primary_key=True),
        Column("Full Name", "varchar(40)", comment="as printed\non the ticket"),
        Column("order", ""),
    ),
    comment="people",
)
SHOW = Table(
    "show",
    (Column("singer_id", "int", primary_key=True), Column("night", "date", primary_key=True)),
    (ForeignKey("show", ("singer_id",), "singer", ("id",)),),
)
NAMES = Table("names", (Column("n", "DROP TABLE x; --"),), is_view=True)
SCHEMA = Schema(
    (SINGER, SHOW, NAMES),
    samples={"singer": ((1, "Ada", None), (2, "x" * 60, b"\x00\x01")), "show": ()},
)

EXPECTED = """\
CREATE TABLE singer ( -- people
 id INTEGER PRIMARY KEY,
 "Full Name" VARCHAR(40), -- as printed\\non the ticket
 "order"
);
/* 2 rows, data only:
1 | Ada | NULL
2 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… | <2 bytes>
*/
CREATE TABLE show (
 singer_id INT,
 night DATE,
 PRIMARY KEY (singer_id, night),
 FOREIGN KEY (singer_id) REFERENCES singer(id)
);
CREATE VIEW names (
 n
);"""


def test_the_whole_text() -> None:
    assert ddl(SCHEMA, sample_rows=3) == EXPECTED
    assert ddl(SCHEMA, sample_rows=3) == ddl(SCHEMA, sample_rows=3)


def test_without_samples_there_is_no_cell() -> None:
    assert "Ada" not in ddl(SCHEMA)


def test_some_tables_only_drop_keys_to_the_others() -> None:
    assert "REFERENCES" not in ddl(SCHEMA, tables=["SHOW"])
    assert "singer" not in ddl(SCHEMA, tables=["names"])
    assert "REFERENCES singer(id)" in ddl(SCHEMA, tables=["show", "singer"])


def test_names_are_quoted_in_the_dialects_way() -> None:
    assert '"Full Name" VARCHAR' in ddl(Schema(SCHEMA.tables, "postgres"))
    assert "`Full Name` VARCHAR" in ddl(Schema(SCHEMA.tables, "mysql"))
