import sqlglot

from critiql.tools.sql.tree_lines import tree_lines, tree_text

SQL = "SELECT i.title, COUNT(*) AS n FROM item AS i WHERE NOT (i.price > 5) GROUP BY i.title ORDER BY n DESC"
SHOWN = """1 select
2  i.title
3  alias n
4   count
5    *
6  from
7   table item as i
8  where
9   not
10    gt
11     i.price
12     5
13  group
14   i.title
15  order
16   ordered desc
17    n"""


def test_every_node_that_matters_has_a_number():
    tree = sqlglot.parse_one(SQL, dialect="sqlite")
    lines = tree_lines(tree, "sqlite")
    assert tree_text(lines) == SHOWN
    assert [line.number for line in lines] == list(range(1, 18))
    assert lines[9].node.sql() == "i.price > 5"


def test_a_long_text_is_cut_and_breaks_no_line():
    tree = sqlglot.parse_one(f"SELECT 'a\nb{'x' * 100}'", dialect="sqlite")
    (_, line) = tree_lines(tree, "sqlite")
    assert "\n" not in tree_text([line])
    assert line.text.endswith("...")
