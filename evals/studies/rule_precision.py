"""How often the error rules accuse right queries, what they find in spoilt ones, and how fast they are.

Run as `python -m critiql.evals.studies.rule_precision`; prints one JSON object. The rules were tuned on
Spider train; Spider dev is for one measurement.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby
from random import Random
from typing import Any

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.data.schema_only import bugs_schemas
from critiql.evals.statistics import proportion
from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.perturb.perturb import Perturbation, perturb, verify
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read, types_of
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.tools.errors.types.error_type import Finding

Tally = Counter[str]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the figures to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="spider-train", help="data set, by name")
    parser.add_argument("--spoil", type=int, default=0, help="golds to perturb, drawn at random; 0 is none")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    data = load(options.data)
    if options.data == "nl2sql-bugs" and data.items:
        _write({"data": options.data, "sources": dict(data.sources), "schema_only": labelled(data.items)})
        return
    if data.not_run:
        sys.exit(f"{options.data} cannot be measured: {data.not_run}")
    document = {"data": options.data, "sources": dict(data.sources), "dropped": dict(data.dropped)}
    document |= {"gold": fires(data.items)}
    if options.spoil:
        drawn = Random(options.seed).sample(data.items, min(options.spoil, len(data.items)))
        document |= {"seed": options.seed, "spoilt": recall(drawn, options.seed)}
    _write(document)


def _write(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def fires(items: Sequence[Item]) -> dict[str, Any]:
    """What the rules say of gold queries, and how many they read and judge in a second on one core.

    The time of judging excludes reading values: every query is judged twice and the second time counts.
    """
    by_rule: Tally = Counter()
    fired = 0
    reading = judging = 0.0
    for item, database, values in _opened(items):
        started = time.process_time()
        query = read(item.gold, database.schema(), question=item.question, values=values)
        reading += time.process_time() - started
        found = detect(query)
        again = read(item.gold, database.schema(), question=item.question, values=values)
        started = time.process_time()
        detect(again)
        judging += time.process_time() - started
        fired += bool(found)
        by_rule.update({finding.rule for finding in found})
    return {
        "fires": _share(fired, len(items)),
        "by_rule": dict(by_rule.most_common()),
        "read_per_second": round(len(items) / reading),
        "judged_per_second": round(len(items) / judging),
    }


def labelled(items: Sequence[Item]) -> dict[str, Any]:
    """What the rules say of labelled queries whose databases are not at hand: names and wording alone."""
    schemas = bugs_schemas(items[0].database.parents[3] / "nl2sql_bugs/schema_dev.json")
    flagged = [
        bool(detect(read(item.extra["candidate"], schemas[item.db_id], question=item.question)))
        for item in items
    ]
    wrong = [not item.extra["label"] for item in items]
    hits = sum(one and two for one, two in zip(flagged, wrong, strict=True))
    return {"precision": _share(hits, sum(flagged)), "recall": _share(hits, sum(wrong)), "n": len(items)}


def recall(items: Sequence[Item], seed: int) -> dict[str, Any]:
    """What the rules find in verified perturbations of gold queries, per type injected."""
    made, kept, found, named = (Counter[str]() for _ in range(4))
    for item, database, values in _opened(items):
        query = read(item.gold, database.schema(), question=item.question, values=values)
        if isinstance(query, Finding):
            continue
        before = set(types_of(detect(query)))
        rng = Random(f"{seed}:{item.index}")
        for one in perturb(query.parsed, query.schema, query.resolution, rng, values):
            made[one.types[0]] += 1
            if verify(database, one.original, one.sql):
                kept[one.types[0]] += 1
                new = _found(one, query) - before
                found[one.types[0]] += bool(new)
                named[one.types[0]] += one.types[0] in new
    per_type = {
        error.key: {
            "made": made[error.key],
            "verified": kept[error.key],
            "found": _share(found[error.key], kept[error.key]),
            "found_with_its_type": _share(named[error.key], kept[error.key]),
        }
        for error in ERROR_TYPES
    }
    return {"all": _share(found.total(), kept.total()), "queries": len(items), "by_type": per_type}


def _found(one: Perturbation, query: Query) -> set[str]:
    wrong = read(one.sql, query.schema, question=query.question, values=query.values)
    return set(types_of(detect(wrong)))


def _opened(items: Sequence[Item]) -> Iterator[tuple[Item, Database, DatabaseValues]]:
    """The items database by database, each opened once and closed after its last item."""
    ordered = sorted(items, key=lambda item: (str(item.database), item.index))
    for path, group in groupby(ordered, key=lambda item: item.database):
        with closing(open_database(path)) as database:
            values = DatabaseValues(database)
            for item in group:
                yield item, database, values


def _share(successes: int, n: int) -> dict[str, Any]:
    """A share with its 95 % interval (Wilson)."""
    estimate = proportion(successes, n)
    low, high = (round(end, 4) for end in (estimate.low, estimate.high))
    value = round(estimate.value, 4) if n else None
    return {"count": successes, "n": n, "share": value, "low": low, "high": high}


if __name__ == "__main__":
    main()
