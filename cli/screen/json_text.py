"""JSON as a command prints it: one line that a terminal only shows, whatever the texts in it hold."""

import json
from re import Match
from typing import Any

from critiql.cli.screen.streams import says_everything
from critiql.tools.schema.quoting import CONTROL


def json_text(document: Any, **options: Any) -> str:
    """The document with control, zero-width and direction characters as JSON's own escapes.

    Where standard output has not every character, so are all that are not ASCII.

    Args:
        document: what JSON can hold.
        options: further arguments of `json.dumps`.
    """
    return CONTROL.sub(_escaped, json.dumps(document, ensure_ascii=not says_everything(), **options))


def _escaped(found: Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
