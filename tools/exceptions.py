"""The root of every error that a user meets, and what a command then ends with.

It lies below everything else: a database, a model and a graph raise kinds of it, and a caller who wants to
catch them all catches one.
"""

from typing import ClassVar

from critiql.tools.hiding import hide_secrets

USAGE = 2
"""It was called wrongly: the question, a setting, a file of pairs."""
DATABASE = 3
"""The database cannot be opened or read."""
MODEL = 4
"""A model is missing, damaged or does not answer."""
CHECKPOINT = 5
"""A checkpoint cannot be read or written, or another run is using it."""


class CritiqlError(Exception):
    """Something that a user can mend. The message says what happened, why, and what to do."""

    exit_code: ClassVar[int] = 1
    """What a command ends with that meets it."""

    def __init__(self, message: str = "") -> None:
        super().__init__(hide_secrets(message))
