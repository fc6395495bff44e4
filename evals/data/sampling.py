"""Fixed samples of a data set, stratified over databases, with disjoint databases for fitting and validation.

Order comes from SHA-256 of seed and item, not from a random generator: a sample is the same on every platform
and Python, and does not change when items elsewhere in the file are dropped.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item

Part = Literal["all", "fit", "validate"]


def sample(
    items: Sequence[Item],
    n: int | None,
    seed: int = 0,
    *,
    databases: int | None = None,
    exclude: Collection[str] = (),
) -> list[Item]:
    """Draw a sample stratified over databases: each gives its share, by largest remainder.

    Args:
        items: what to draw from.
        n: how many; None, or more than there are, means all.
        seed: names the sample.
        databases: draw this many databases first and stay within them.
        exclude: databases not to touch.

    Returns:
        The sample, in the order of `items`.
    """
    strata: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.db_id not in exclude:
            strata[item.db_id].append(item)
    chosen = sorted(strata, key=lambda db: _rank(seed, "database", db))[:databases]
    quota = _quotas({db: len(strata[db]) for db in chosen}, n, seed)
    drawn: set[int] = set()
    for db in chosen:
        order = sorted(strata[db], key=lambda item: _rank(seed, item.dataset, item.index))
        drawn |= {id(item) for item in order[: quota[db]]}
    return [item for item in items if id(item) in drawn]


def train_sample(
    n: int | None = 300,
    seed: int = 0,
    *,
    part: Part = "all",
    databases: int | None = None,
    root: Path | None = None,
) -> list[Item]:
    """Draw from Spider-train; `fit` and `validate` never share a database, whatever n is.

    Raises:
        ValueError: Spider-train is not here; the message says what is missing.
    """
    data = load("spider-train", root)
    if data.not_run:
        raise ValueError(f"spider-train cannot be sampled: {data.not_run}")
    return sample(in_part(data.items, part, seed), n, seed, databases=databases)


def in_part(items: Sequence[Item], part: Part, seed: int = 0) -> list[Item]:
    """The items whose database belongs to a part: one half of all databases fits, the other validates."""
    return [item for item in items if part == "all" or part_of(item.db_id, seed) == part]


def part_of(db_id: str, seed: int = 0) -> Part:
    """The part a database belongs to. It depends on nothing but its name and the seed."""
    return "fit" if int(_rank(seed, "part", db_id), 16) % 2 == 0 else "validate"


def _quotas(sizes: dict[str, int], n: int | None, seed: int) -> dict[str, int]:
    total = sum(sizes.values())
    if n is None or n >= total:
        return sizes
    exact = {db: size * n / total for db, size in sizes.items()}
    quota = {db: math.floor(share) for db, share in exact.items()}
    by_remainder = sorted(exact, key=lambda db: (quota[db] - exact[db], _rank(seed, "rest", db)))
    for db in by_remainder[: n - sum(quota.values())]:
        quota[db] += 1
    return quota


def _rank(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
