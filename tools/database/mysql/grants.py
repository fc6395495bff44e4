"""Which MySQL and MariaDB accounts a statement of a model may run under: none that can do more than read."""

import re
from typing import Any

READING = frozenset(
    {
        "SELECT",
        "USAGE",
        "SHOW VIEW",
        "SHOW DATABASES",
        "EXECUTE",
        "REFERENCES",
        "PROCESS",
        "REPLICATION CLIENT",
        "BINLOG MONITOR",
        "SLAVE MONITOR",
        "REPLICA MONITOR",
        "SHOW CREATE ROUTINE",
        "TRIGGER",
        "EVENT",
        "PROXY",
    }
)
"""Privileges that by themselves change nothing and read no file; any other is a reason to refuse."""
GRANT = re.compile(r"^GRANT (?P<privileges>.+?) ON (?P<place>\S+(?:\.\S+)?) TO ", re.IGNORECASE)
COLUMNS = re.compile(r"\([^)]*\)")
OVERRIDE = "critiql_allow_writer"


def excess_privileges(grants: list[str]) -> list[str]:
    """Privileges beyond reading, as `INSERT on shop.*`, from the lines of SHOW GRANTS.

    A line that is no GRANT of privileges (a role, a default role) adds nothing: SHOW GRANTS lists what an
    active role brings in lines of its own.
    """
    found: list[str] = []
    for line in grants:
        granted = GRANT.match(line)
        if granted is None:
            continue
        privileges = [part.strip().upper() for part in COLUMNS.sub("", granted["privileges"]).split(",")]
        found += [f"{name} on {granted['place']}" for name in privileges if name not in READING]
    return found


def account_trouble(connection: Any) -> str | None:
    """Why the connected account may not be used, or None.

    Args:
        connection: A PyMySQL connection.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        excess = excess_privileges([row[0] for row in cursor.fetchall()])
        cursor.execute("SELECT current_user()")
        name = cursor.fetchone()[0]
    if not excess:
        return None
    shown = ", ".join(excess[:4]) + (f" and {len(excess) - 4} more" if len(excess) > 4 else "")
    return (
        f"the account {name} may do more than read: {shown}. "
        "Use an account that has only SELECT: CREATE USER reader IDENTIFIED BY '...'; "
        "GRANT SELECT ON your_database.* TO reader. "
        f"To run under this account all the same, add ?{OVERRIDE}=1 to the URL."
    )
