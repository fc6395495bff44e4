"""Single questions, each answered by one command."""
