"""Metrics, each a small function that names its source."""
