"""Data sets, tasks and samples of questions."""
