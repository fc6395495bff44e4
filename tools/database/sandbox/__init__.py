"""The process in which statements run: its pool, the child, their frames and limits."""
