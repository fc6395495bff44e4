"""DuckDB: opening, the session, its errors, its structure."""
