"""What the exit code of every command means; an error brings its own (tools/exceptions.py)."""

from critiql.tools import exceptions

OK = 0
"""The statement gave rows, the question an answer."""
FAILED = 1
"""The statement or the question failed; why is in the output."""
USAGE = exceptions.USAGE
DATABASE = exceptions.DATABASE
MODEL = exceptions.MODEL
CHECKPOINT = exceptions.CHECKPOINT
INTERRUPTED = 130
"""Stopped by Ctrl-C."""
