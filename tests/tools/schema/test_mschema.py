"""The M-Schema text, byte for byte."""

from critiql.tools.schema.model import Column, ForeignKey, Schema, Table
from critiql.tools.schema.mschema import mschema

SINGER = Table(
    "singer",
    (
        Column("id", "INTEGER", primary_key=True),
        Column("name", "varchar(40)", comment="stage name"),
        Column("born", "DATE"),
        Column("mail", "TEXT"),
        Column("bio", "TEXT"),
        Column("motto", "TEXT"),
        Column("photo", "BLOB"),
    ),
)
SHOW = Table("show", (Column("singer_id", "int"),), (ForeignKey("show", ("singer_id",), "singer", ("id",)),))
ROWS = (
    (1, "O'Hara", "1990-01-01", "a@b.org", "x" * 60, "be kind, rewind, repeat", b"\x00"),
    (2, "", "1991-01-01", None, "y", "short", None),
    (3, "Bo\n", "1992-01-01", "c@d.org", "z", "other", None),
)
SCHEMA = Schema((SINGER, SHOW), samples={"singer": ROWS})

EXPECTED = """\
【DB_ID】 concerts
【Schema】
# Table: singer
[
(id:INTEGER, Primary Key, Examples: [1, 2, 3]),
(name:VARCHAR, stage name, Examples: ['O''Hara', 'Bo\\n']),
(born:DATE, Examples: ['1990-01-01']),
(mail:TEXT),
(bio:TEXT),
(motto:TEXT, Examples: ['be kind, rewind, repeat']),
(photo:BLOB)
]
# Table: show
[
(singer_id:INT)
]
【Foreign keys】
show.singer_id=singer.id"""


def test_the_whole_text() -> None:
    assert mschema(SCHEMA, "concerts") == EXPECTED


def test_given_values_come_before_samples() -> None:
    text = mschema(SCHEMA, values={("singer", "name"): ["Retrieved"]})
    assert "Examples: ['Retrieved']" in text
    assert "O''Hara" not in text


def test_some_tables_only() -> None:
    assert mschema(SCHEMA, tables=["show"]) == "【Schema】\n# Table: show\n[\n(singer_id:INT)\n]"
