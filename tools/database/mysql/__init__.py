"""MySQL and MariaDB: opening, the session, its errors, its grants, its structure."""
