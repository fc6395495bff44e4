"""MySQL's and MariaDB's errors as typed kinds, by error number (MySQL's and MariaDB's error references)."""

import re

NUMBERS = {
    **dict.fromkeys((1064, 1149, 1222, 1241, 1242, 1248, 1221, 1234, 1210, 1235, 1582, 4161), "syntax"),
    **dict.fromkeys((1146, 1051, 1109, 1049), "no_such_table"),
    **dict.fromkeys((1054,), "no_such_column"),
    **dict.fromkeys((1052, 1060), "ambiguous_column"),
    **dict.fromkeys((1305, 1630, 4162), "no_such_function"),
    **dict.fromkeys((1055, 1056, 1111, 1140, 1463, 4015, 4016, 3593), "misuse"),
    **dict.fromkeys((1292, 1366, 1367, 1690, 1525, 1411, 3141, 4038, 4079, 1270, 1267, 1271, 1139), "type"),
    **dict.fromkeys((1044, 1045, 1142, 1143, 1227, 1290, 1370, 1792, 1295, 1356, 3118), "denied"),
    **dict.fromkeys((1969, 3024, 1317, 1028), "timeout"),
    **dict.fromkeys((1205, 1213, 1099, 1100), "locked"),
    **dict.fromkeys((1037, 1038, 1041, 1114, 1021, 3, 28, 126, 1301), "memory"),
    **dict.fromkeys((1153, 1117, 1118, 1119, 1436, 1116, 3170), "too_large"),
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 1040, 1129, 1130, 1152, 1158, 1159), "connection"),
    **dict.fromkeys((1053, 1077, 1927, 2014, 1047), "connection"),
}
"""Kind by error number."""
NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        r"^Unknown (?:column|table|database) '(?P<name>[^']+)'",
        r"^Column '(?P<name>[^']+)'",
        r"^Table '(?:[^'.]+\.)?(?P<name>[^']+)'",
        r"^(?:FUNCTION|PROCEDURE) (?:[^ .]+\.)?(?P<name>\S+) does not exist",
        r"command denied to user \S+ for table `(?:[^`]+`\.`)?(?P<name>[^`]+)`",
    )
)
"""The thing a sentence is about."""
CONNECTING = {
    1045: "the password is wrong or the user does not exist. Check the URL.",
    1698: "the password is wrong or the user does not exist. Check the URL.",
    1049: "the server has no such database. Check the name in the URL.",
    1044: "this user may not use that database. Check the URL, or grant SELECT on it.",
    1130: "the server does not let this user in from here. Ask its administrator.",
    1040: "it has no free connection. Try later.",
    2003: "nothing answers there. Check host and port; start the server.",
    2002: "nothing answers there. Check the socket's path; start the server.",
    2005: "the host is not known. Check its name in the URL.",
    2013: "the server ended the connection while it was made. Check host, port and encryption.",
}
"""What a failed connection means, and what to do."""


def classify(number: int, message: str) -> tuple[str, str | None]:
    """Kind, and the name the sentence is about."""
    found = next((match for pattern in NAMES if (match := pattern.search(message))), None)
    return NUMBERS.get(number, "other"), found["name"] if found else None


def explain_connection(number: int) -> str:
    """What a failed connection means and what to do."""
    return CONNECTING.get(number, f"the connection failed (error {number}). Check the URL and the server.")
