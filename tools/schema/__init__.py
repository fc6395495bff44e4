"""Schemas: the typed model of a database, its text for prompts, linking and the value index."""
