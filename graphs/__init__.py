"""Graphs: wiring only, one file a system."""
