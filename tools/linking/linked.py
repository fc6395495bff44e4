"""What a question's words name in an open database: its names always, its values where they may be read."""

from critiql.tools.database.engine import Database
from critiql.tools.linking.link import Link, link
from critiql.tools.linking.value_index import open_value_index


def link_database(question: str, database: Database, *, values: bool) -> tuple[Link, ...]:
    """The links of a question.

    Raises:
        DatabaseError: the database cannot be read.
    """
    if values:
        with open_value_index(database) as index:
            return link(question, database.schema(), index)
    return link(question, database.schema())
