"""Which PostgreSQL roles a statement of a model may run under: none that can leave the database."""

from typing import Any

ROLE_SQL = """
SELECT session_user::text,
    EXISTS (SELECT FROM pg_roles s WHERE s.rolsuper AND pg_has_role(session_user, s.oid, 'MEMBER')),
    ARRAY(
        SELECT p.rolname::text FROM pg_roles p
        WHERE p.rolname = ANY(%s) AND pg_has_role(session_user, p.oid, 'MEMBER') ORDER BY 1
    )
"""
ESCAPING = ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"]
"""Roles that reach the server's files and programs (PostgreSQL 15 manual, 22.5 Predefined Roles)."""
OVERRIDE = "critiql_allow_superuser"


def role_trouble(connection: Any) -> str | None:
    """Why the connected role may not be used, or None.

    Args:
        connection: A psycopg connection in autocommit mode.
    """
    name, is_superuser, escaping = connection.execute(ROLE_SQL, [ESCAPING]).fetchone()
    if not is_superuser and not escaping:
        return None
    power = "a superuser" if is_superuser else f"a member of {' and '.join(escaping)}"
    return (
        f"the role {name} is {power}, so a query could reach files and programs of the server. "
        "Use a role that has only SELECT: CREATE ROLE reader LOGIN PASSWORD '...'; "
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader. "
        f"To run under this role all the same, add ?{OVERRIDE}=1 to the URL."
    )
