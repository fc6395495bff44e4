"""Keeping a run's state, so that a killed one goes on."""
