"""The server's own form of a statement: names qualified, stars and views written out, comments gone.

EXPLAIN (on MariaDB with EXTENDED) leaves it as note 1003. The optimizer has been there: what it has already
computed is gone from the text. So it may only refuse, behind the tokens.
"""

from typing import Any

import pymysql

from critiql.tools.database.guard.access import Catalog, check_denials
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal
from critiql.tools.database.guard.tokens import UnreadableError, tokenize

NOTE = 1003
NO_RIGHT = 1345
"""A view whose text the account may not see cannot be explained; the tokens have judged it by its name."""
EXPLAINS = ("explain", "analyze")


def rewritten(cursor: Any, sql: str, is_mariadb: bool) -> str:
    """The server's form of one SELECT; an empty text where it gives none.

    Args:
        cursor: A PyMySQL cursor, in the statement's transaction.
        sql: The statement, which the tokens let pass.
        is_mariadb: Whether the server is a MariaDB.
    """
    if tokenize(sql, "mysql")[0].is_word(*EXPLAINS):
        return ""  # the words after it have been looked at, and only a plan comes back
    try:
        cursor.execute(f"EXPLAIN {'EXTENDED ' if is_mariadb else ''}{sql}")
        cursor.fetchall()
    except pymysql.Error as error:
        if error.args and error.args[0] == NO_RIGHT:
            return ""
        raise
    cursor.execute("SHOW WARNINGS")
    return "\n".join(text for _, number, text in cursor.fetchall() if number == NOTE)


def forbidden_rewriting(text: str, policy: AccessPolicy, catalog: Catalog) -> Refusal | None:
    """A refusal when the server's form names a denied table or column, or calls what its users made."""
    try:
        return check_denials(tokenize(text, "mysql"), policy, catalog)
    except UnreadableError:
        return None  # a literal of the statement's, cut by the server; the tokens have read the whole
