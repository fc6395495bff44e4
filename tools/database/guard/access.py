"""Holds a statement of MySQL to an access policy: by the names in its text and in the texts of its views.

A table or column can only be read by naming it, by a star, by its whole row, or through a view or function.
Each of these is looked for among the tokens; whatever cannot be told apart is denied. Standard library only.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal
from critiql.tools.database.guard.tokens import Token, UnreadableError, called, tokenize

SCHEMAS = frozenset({"information_schema", "performance_schema", "mysql", "sys"})
"""What shows other tables' names, statistics or text."""
_BEFORE_COLUMN_WORDS = "as by where and or on not select distinct having when then else like between"
BEFORE_COLUMN = frozenset(_BEFORE_COLUMN_WORDS.split())
"""Words after which no table can stand, only a column, an alias or an expression."""
FROM_WORDS = ("from", "join", "lateral", "only", "apply")
EXPRESSION_WORDS = (
    *("select", "where", "on", "using", "group", "having", "order", "window", "limit", "offset", "qualify"),
    *("fetch", "union", "except", "intersect", "values", "returning", "with", "tablesample", "for"),
)
"""Words that end a FROM clause."""
QUERY_WORDS = ("select", "with", "values", "from")
_CLAUSE_WORDS = """
where on using group having order window limit offset qualify fetch union except intersect join inner left
right full cross natural for tablesample select from as lateral straight_join force use ignore exclude replace
rename like ilike into similar
"""
CLAUSES = frozenset(_CLAUSE_WORDS.split())
"""Words that follow a table's name or a star without being an alias or an operand."""


@dataclass(frozen=True)
class Catalog:
    """Names of a database, case-folded."""

    tables: frozenset[str]
    """Tables and views of every schema the account sees."""
    views: dict[str, str] = field(default_factory=dict)
    """Definitions of views; an empty text where it is not known."""
    schemas: frozenset[str] = frozenset()
    """Schemas other than the one that plain names refer to."""
    functions: frozenset[str] = frozenset()
    """Functions and macros that are not the engine's own; their text may read anything."""


def check_access(tokens: list[Token], policy: AccessPolicy, catalog: Catalog) -> Refusal | None:
    """A refusal when the statement might read what the policy denies.

    Args:
        tokens: The statement's.
        policy: What may be read.
        catalog: The names there are.
    """
    if policy == AccessPolicy():
        return None
    return (
        _forbidden_words(tokens, catalog)
        or _forbidden_tables(tokens, policy, catalog)
        or _through_views(tokens, policy, catalog)
        or _columns(tokens, policy)
    )


def _denied(kind: str, name: str) -> Refusal:
    return Refusal("denied", f"the {kind} {name} may not be read here", name)


def _denied_view(view: str, is_known: bool) -> Refusal:
    if is_known:
        return _denied("view", view)
    message = f"the view {view} may not be read here: its text is not known (on MySQL grant SHOW VIEW)"
    return Refusal("denied", message, view)


def _names(tokens: list[Token]) -> set[str]:
    return {token.text for token in tokens if token.identifier is not None}


def check_denials(tokens: list[Token], policy: AccessPolicy, catalog: Catalog) -> Refusal | None:
    """A refusal when MySQL's own form of a statement names what a deny-list names."""
    only_denials = AccessPolicy(None, policy.deny_tables, policy.deny_columns)
    names = _names(tokens)
    for pair in sorted(policy.deny_columns):
        table, column = (part.casefold() for part in pair.rsplit(".", 1))
        if table in names and any(
            token.text == column and before.is_mark(".") for before, token in pairwise(tokens)
        ):
            return _denied("column", f"{table}.{column}")
    return _forbidden_tables(tokens, only_denials, catalog)


def _forbidden_words(tokens: list[Token], catalog: Catalog) -> Refusal | None:
    for token in tokens:
        name = token.identifier
        if name is None:
            continue
        if name in SCHEMAS or name in catalog.schemas:
            return Refusal("denied", f"{name} may not be used here: only listed tables may be read", name)
    if own := sorted(called(tokens) & catalog.functions):
        message = f"the function {own[0]} may not be called here: what it reads is not known"
        return Refusal("denied", message, own[0])
    return None


def _table_names(tokens: list[Token]) -> set[str]:
    """Names that may be a table's: not those where only a column or an alias can stand."""
    pairs = zip([None, *tokens], tokens, strict=False)
    return {
        token.text
        for before, token in pairs
        if token.identifier is not None and not (before is not None and before.is_word(*BEFORE_COLUMN))
    }


def _forbidden_tables(tokens: list[Token], policy: AccessPolicy, catalog: Catalog) -> Refusal | None:
    denied = {name.casefold() for name in policy.deny_tables}
    for name in sorted(_table_names(tokens)):
        if name in denied or (name in catalog.tables and not policy.allows_table(name)):
            return _denied("table", name)
    return None


def _through_views(tokens: list[Token], policy: AccessPolicy, catalog: Catalog) -> Refusal | None:
    """Deny-lists hold in the text of every view that is named, directly or by another view."""
    only_denials = AccessPolicy(None, policy.deny_tables, policy.deny_columns)
    if only_denials == AccessPolicy():
        return None
    seen: set[str] = set()
    waiting = sorted(_names(tokens) & set(catalog.views))
    while waiting:
        view = waiting.pop()
        if view in seen:
            continue
        seen.add(view)
        try:
            inside = tokenize(catalog.views[view], "mysql")
        except UnreadableError:
            inside = []
        if (
            not inside
            or called(inside) & catalog.functions
            or _forbidden_tables(inside, only_denials, catalog)
            or _columns(inside, only_denials)
        ):
            return _denied_view(view, bool(inside))
        waiting += sorted(_names(inside) & set(catalog.views))
    return None


def _columns(tokens: list[Token], policy: AccessPolicy) -> Refusal | None:
    names = _names(tokens)
    for pair in sorted(policy.deny_columns):
        table, column = (part.casefold() for part in pair.rsplit(".", 1))
        if table not in names:
            continue
        if column in names or _reads_all(tokens, table):
            return _denied("column", f"{table}.{column}")
    return None


def _reads_all(tokens: list[Token], table: str) -> bool:
    """Whether all columns of a table may be read without their names."""
    if any(token.is_word("table", "natural") for token in tokens):
        return True
    return _has_star(tokens) or _has_whole_row(tokens, table)


def _is_operand_before(token: Token) -> bool:
    if token.kind == "mark":
        return token.text in (")", "]")
    return not token.is_word("select", "distinct", "all")


def _is_operand_after(token: Token) -> bool:
    if token.kind == "mark":
        return token.text in ("(", "-", "+", "[", "@")
    return not token.is_word(*CLAUSES)


def _has_star(tokens: list[Token]) -> bool:
    """A star that is neither `count(*)` nor a multiplication; FROM without SELECT is one too."""
    ends = [None, *tokens, None]
    for place, token in enumerate(tokens):
        before, following = ends[place], ends[place + 2]
        is_first = before is None or before.is_mark("(") or before.is_word("all", "union", "as", "except")
        if token.is_word("from") and is_first:
            return True
        if not token.is_mark("*"):
            continue
        is_count = place >= 2 and tokens[place - 2].is_word("count") and tokens[place - 1].is_mark("(")
        is_product = (
            before is not None
            and following is not None
            and _is_operand_before(before)
            and _is_operand_after(following)
        )
        if not is_count and not is_product:
            return True
    return False


def _aliases(tokens: list[Token], table: str) -> set[str]:
    """The table's name and the words that follow it as an alias."""
    found = {table}
    for place, token in enumerate(tokens):
        if token.identifier != table:
            continue
        following = tokens[place + 1 : place + 3]
        if following and following[0].is_word("as"):
            following = following[1:]
        if following and following[0].identifier and following[0].text not in CLAUSES:
            found.add(following[0].text)
    return found


def _has_whole_row(tokens: list[Token], table: str) -> bool:
    """Whether the table's name or alias stands for its row, or its columns get new names by position."""
    names = _aliases(tokens, table)
    in_from = [False]
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.is_mark("("):
            opens_join = in_from[-1] and (
                before is None or before.is_word(*FROM_WORDS) or before.is_mark(",")
            )
            if opens_join and following is not None and not following.is_word(*QUERY_WORDS):
                return True
            in_from.append(False)
        elif token.is_mark(")"):
            in_from = in_from[:-1] or [False]
        elif token.is_word(*FROM_WORDS):
            in_from[-1] = True
        elif token.is_word(*EXPRESSION_WORDS):
            in_from[-1] = False
        elif token.identifier in names and not (following is not None and following.is_mark(".")):
            renamed = following is not None and following.is_mark("(")
            is_part = before is not None and before.is_mark(".") and token.text != table
            if renamed or not (in_from[-1] or is_part):
                return True
    return False
