"""The corpus that a refiner retrieves repairs from: an actor's own wrong queries on training questions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from critiql.evals.data.item import Item
from critiql.evals.run.store import StoredAnswer
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.sql.canonical import fingerprint
from critiql.training.data.detector_data import labels_of
from critiql.training.data.gold import opened


def repairs_of(
    answers: Sequence[StoredAnswer], items: Mapping[int, Item], step: Callable[[], None] = lambda: None
) -> Iterator[dict[str, Any]]:
    """One repair for each error that explains a wrong first query; the gold query is the right one.

    Args:
        answers: of one run; those that are right, and those whose error no label explains, give none.
        items: the questions by index.
        step: called after each wrong query, for progress.
    """
    wrong = {
        answer.index: answer.candidates[0]["sql"]
        for answer in answers
        if answer.index in items and answer.candidates and answer.candidates[0].get("correct") is False
    }
    for gold in opened([items[index] for index in wrong], step):
        sql, dialect = wrong[gold.item.index], gold.database.dialect
        for key in labels_of(gold, sql) or ():
            yield {
                "type": key,
                "question": gold.item.question,
                "wrong": fingerprint(sql, dialect),
                "right": fingerprint(gold.item.gold, dialect),
                "reason": BY_KEY[key].description,
                "database": gold.item.db_id,
            }
