"""SQLite: opening, the session, its authorizer, its errors, its files, its structure."""
