"""Small training sets: a few questions on three small schemas, of which one validates."""

from typing import Any

PARTS = {"north": "train", "south": "train", "harbour": "validation"}


def role_rows(role: str) -> list[dict[str, Any]]:
    """Examples of one role as `critiql train data` writes them."""
    return [
        {
            "task": role,
            "kind": "gold",
            "part": part,
            "db_id": name,
            "index": number,
            "prefix": f"This is the database:\n\nCREATE TABLE {name} (id INT, title TEXT, year INT);",
            "request": f"Question: Which {column} are there?\nAnswer with the SQL only.",
            "opening": "```sql\n",
            "answer": f"```sql\nSELECT DISTINCT {column} FROM {name}",
        }
        for name, part in PARTS.items()
        for number, column in enumerate(("title", "year", "id"))
    ]
