"""The everyday data sets: 80 questions on two databases for choosing, 80 on two others for tagged runs."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from critiql.evals.data.everyday.build import folder
from critiql.evals.data.item import Dataset, Item

EVERYDAY: Mapping[str, Path] = {
    "everyday": Path(__file__).with_name("questions_choose.jsonl"),
    "everyday-test": Path(__file__).with_name("questions_test.jsonl"),
}
"""The file of each half."""


def everyday(name: str) -> Dataset:
    """Read one half; its databases are built on first use.

    The shape of a question (`share`, `top_per_group`, `not_since`) stands where Spider has its hardness.

    Raises:
        OSError: the cache folder cannot be written.
    """
    file = EVERYDAY[name]
    databases = folder() / "database"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    items = (
        Item(
            dataset=name,
            index=index,
            db_id=row["database"],
            database=databases / row["database"] / f"{row['database']}.sqlite",
            question=row["question"],
            gold=row["sql"],
            difficulty=row["shape"],
        )
        for index, row in enumerate(rows)
    )
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Dataset(name, tuple(items), metric="everyday", sources={file.name: digest})
