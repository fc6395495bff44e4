"""PostgreSQL's errors as typed kinds, by SQLSTATE (manual, appendix A)."""

import re

STATES = {
    "42P01": "no_such_table",
    "3F000": "no_such_table",
    "42703": "no_such_column",
    "42702": "ambiguous_column",
    "42P09": "ambiguous_column",
    "42883": "no_such_function",
    "42803": "misuse",
    "42P20": "misuse",
    "42P19": "misuse",
    "42804": "type",
    "42846": "type",
    "42725": "type",
    "42P18": "type",
    "42P21": "type",
    "42P22": "type",
    "42501": "denied",
    "25006": "denied",
    "57014": "timeout",
    "55P03": "locked",
    "40P01": "locked",
    "3D000": "connection",
    "08P01": "syntax",
}
"""Kind by SQLSTATE."""
CLASSES = {
    "42": "syntax",
    "0A": "syntax",
    "21": "misuse",
    "22": "type",
    "08": "connection",
    "28": "connection",
    "57": "connection",
    "53": "memory",
    "54": "too_large",
}
"""Kind by the class, the first two characters, where the state itself is not listed."""
NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        r'^(?:missing FROM-clause entry for table|relation|schema) "(?P<name>[^"]+)"',
        r'^column (?:reference )?"(?P<name>[^"]+)"',
        r"^column (?P<name>\S+) does not exist",
        r"^function (?P<name>[^(]+)\(",
        r'^table (?:name|reference) "(?P<name>[^"]+)"',
        r"^permission denied for \w+ (?P<name>.+)$",
    )
)
"""The thing a sentence is about."""
CONNECTING = (
    (r"password authentication failed", "the password is wrong or the user does not exist. Check the URL."),
    (r"no password supplied", "the server wants a password. Put it in the URL or in the file ~/.pgpass."),
    (r"role \"[^\"]*\" does not exist", "the server has no such user. Check the user in the URL."),
    (r"database \"[^\"]*\" does not exist", "the server has no such database. Check the name in the URL."),
    (r"pg_hba\.conf", "the server does not let this user in from here. Ask its administrator."),
    (r"[Cc]onnection refused|No such file", "nothing answers there. Check host and port; start the server."),
    (r"resolve|[Nn]ame or service", "the host is not known. Check its name in the URL."),
    (r"timeout|timed out", "the server did not answer in time. Check host, port and firewall."),
    (r"too many (?:clients|connections)|remaining connection slots", "it has no free connection. Try later."),
    (r"SSL|certificate", "the encrypted connection failed. Check sslmode and the certificates."),
)
"""What a failed connection says, and what to do."""


def classify(state: str | None, message: str) -> tuple[str, str | None]:
    """Kind, and the name the sentence is about."""
    state = state or ""
    kind = STATES.get(state) or CLASSES.get(state[:2], "other")
    if "multiple commands" in message:
        return "several_statements", None
    if "stack depth" in message:
        return "too_large", None
    if state == "42883" and message.startswith("operator"):
        return "type", None
    if message.startswith(("DECLARE CURSOR", "SELECT ... INTO")):
        return "denied", None
    if state == "42P01" and "aggregate" in message:
        return "misuse", None
    found = next((match for pattern in NAMES if (match := pattern.search(message))), None)
    return kind, found["name"] if found else None


def explain_connection(message: str) -> str:
    """What a failed connection means and what to do, without what the driver may quote of the URL."""
    for pattern, advice in CONNECTING:
        if re.search(pattern, message):
            return advice
    return "the connection failed. Check the URL, and that the server runs."
