"""What the exit code of every command means."""

OK = 0
"""The statement gave rows, the question an answer."""
FAILED = 1
"""The statement or the question failed; why is in the output."""
USAGE = 2
"""The command was called wrongly."""
DATABASE = 3
"""The database cannot be opened or read."""
MODEL = 4
"""A model is missing, damaged or does not answer."""
CHECKPOINT = 5
"""A checkpoint cannot be read or written, or another run is using it."""
INTERRUPTED = 130
"""Stopped by Ctrl-C."""
