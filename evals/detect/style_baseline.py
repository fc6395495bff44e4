"""The style baseline: what a query's looks alone tell of its being wrong (a leak that NL2SQL-Bugs has).

Logistic regression on surface features, each query judged by a fit on other databases.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from critiql.evals.statistics import group_folds

FOLDS = 5
_KEYWORD = re.compile(r"\b(select|from|where|join|on|and|or|group|order|by|having|limit|as|distinct)\b", re.I)


def looks(sql: str) -> list[float]:
    """Features of the text, none of which reads what the query means."""
    keywords = _KEYWORD.findall(sql)
    upper = sum(word.isupper() for word in keywords)
    return [
        float(sql.startswith("select")),
        upper / max(len(keywords), 1),
        float(len(sql)),
        float(len(sql.split())),
        float(sql.count("\n")),
        float(sql.rstrip().endswith(";")),
        float(sql.count("`")),
        float(sql.count('"')),
        float(sql.count("'")),
        float(len(re.findall(r"\bAS\b", sql, re.I))),
        float(bool(re.search(r"\bT\d\b", sql))),
        float(len(re.findall(r"\S[=<>]\S", sql))),
    ]


def style_scores(
    queries: Sequence[str], wrong: Sequence[bool], databases: Sequence[str]
) -> NDArray[np.float64] | None:
    """Probability that each query is wrong, shape (n,), classes weighed alike.

    Returns:
        None where too few databases, or one class alone, leave nothing to fit.
    """
    features = np.array([looks(sql) for sql in queries]).reshape(len(queries), -1)
    truth = np.array(wrong, dtype=bool)
    folds = min(FOLDS, len(set(databases)))
    if folds < 2:
        return None
    scores = np.zeros(len(queries))
    for inside, outside in group_folds(databases, folds):
        if len(set(truth[inside])) < 2:
            return None
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        model.fit(features[inside], truth[inside])
        scores[outside] = model.predict_proba(features[outside])[:, 1]
    return scores
