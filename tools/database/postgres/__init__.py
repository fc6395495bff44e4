"""PostgreSQL: opening, the session, its guard, its errors, its role, its structure."""
