"""What a question's last sentence lists to be shown, against what the query shows."""

import re

from sqlglot import exp

from critiql.tools.errors.query import Query

_LIST = re.compile(
    r"[.?!]\s+(?:please\s+)?(?:show|give|list|return|tell me)\s+(?P<list>[^.;?!]+)(?:;[^.?!]*)?[.?!]?\s*$",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    r"\b(?:numbers?|counts?|totals?|amounts?|how (?:many|much)|averages?|sums?|percent\w*|shares?"
    r"|them|all|both|results?)\b",
    re.IGNORECASE,
)
"""Words for what is computed; a list with one is no list of columns alone."""
_BETWEEN = re.compile(r",\s*and\s+|,\s*|\s+and\s+", re.IGNORECASE)


def without_unlisted(query: Query) -> exp.Query | None:
    """The query without the numbers that it shows beside everything that is listed; None if unsure."""
    found = _LIST.search(query.question)
    select = query.tree
    if found is None or _NUMBERS.search(found["list"]) or not isinstance(select, exp.Select):
        return None
    listed = len([part for part in _BETWEEN.split(found["list"].strip()) if part])
    stored = [item for item in select.expressions if query.place(item.unalias()) is not None]
    others = [item for item in select.expressions if query.place(item.unalias()) is None]
    if not others or len(stored) != listed or any(item.is_star for item in select.expressions):
        return None
    tree, (twin, *gone) = query.copied(select, *others)
    meant = {item.alias.casefold(): item.unalias() for item in gone if item.alias}
    for key in twin.args["order"].expressions if twin.args.get("order") else ():
        named = meant.get(key.this.name.casefold()) if isinstance(key.this, exp.Column) else None
        if named is not None:
            key.set("this", named.copy())
    twin.set("expressions", [item for item in twin.args["expressions"] if item not in gone])
    return tree
