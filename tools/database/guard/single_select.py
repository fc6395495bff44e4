"""Whether a text is one SELECT of MySQL, by its tokens: the server offers no parser to ask."""

from typing import NamedTuple

from critiql.tools.database.guard.tokens import Token, UnreadableError, called, tokenize

SELECT_ONLY = "only SELECT statements may run here: the database is read-only"
STARTS = frozenset({"select", "with", "values", "table"})
"""First words of a statement that may run."""
_KNOWN_WORDS = """
abort alter analyse analyze attach backup begin binlog cache call change check checkpoint checksum close
cluster comment commit copy create deallocate declare delete desc describe detach discard do drop end execute
explain export fetch flush for force get grant handler help import insert install kill listen load lock merge
move notify optimize pivot pragma prepare purge reassign refresh reindex release rename repair replace reset
resignal resume revoke rollback savepoint security set show shutdown signal start stop summarize truncate
unlisten unlock unpivot update use vacuum xa
"""
KNOWN = frozenset(_KNOWN_WORDS.split())
"""First words of statements that are something else; any other first word is a syntax error."""
_FORBIDDEN_WORDS = """
insert update delete into outfile dumpfile replace call handler load truncate alter create drop grant revoke
set lock procedure
"""
FORBIDDEN = frozenset(_FORBIDDEN_WORDS.split())
"""Words that are no name unquoted and occur in no plain query, unless as a function (`replace(...)`)."""
MAYBE = frozenset({"replace", "insert", "set", "truncate"})
"""Of these, functions or character sets where a bracket follows, or `character` stands before `set`."""


class Refusal(NamedTuple):
    """Why a statement does not run, as a reply to the parent says it."""

    kind: str
    message: str
    name: str | None = None


def _shape(tokens: list[Token]) -> Refusal | None:
    ends = [place for place, token in enumerate(tokens) if token.is_mark(";")]
    body = tokens[: ends[0]] if ends else tokens
    if not body:
        if any(not token.is_mark(";") for token in tokens):
            return Refusal("several_statements", "only one statement may run at a time")
        return Refusal("empty", "there is no statement to run")
    if ends and any(not token.is_mark(";") for token in tokens[ends[0] :]):
        return Refusal("several_statements", "only one statement may run at a time")
    first = next((token for token in body if not token.is_mark("(")), body[0])
    if first.is_word(*STARTS):
        return None
    if first.is_word(*KNOWN):
        return Refusal("denied", SELECT_ONLY)
    return Refusal("syntax", f"a query starts with SELECT or WITH, not {first.text[:40]!r}")


def _words(tokens: list[Token]) -> Refusal | None:
    """Clauses of SELECT that write, lock or call, and statements under WITH that are no SELECT."""
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if before is not None and before.is_mark("."):
            continue
        if token.is_word("for") and following is not None and following.is_word("update", "share"):
            return Refusal("denied", f"{SELECT_ONLY}; a query may not lock rows")
        if not token.is_word(*FORBIDDEN):
            continue
        is_call = following is not None and following.is_mark("(") and token.text in MAYBE
        is_charset = token.text == "set" and before is not None and before.is_word("character")
        if not is_call and not is_charset:
            return Refusal("denied", f"{SELECT_ONLY}; {token.text.upper()} is not part of a query")
    return None


_EXPLAIN_WORDS = ("extended", "partitions", "analyze")


def _explained(tokens: list[Token]) -> list[Token]:
    """The tokens without EXPLAIN and its options; what is left is then looked at as any statement."""
    if not tokens or not tokens[0].is_word("explain", "analyze"):
        return tokens
    rest = tokens[1:]
    while rest and rest[0].is_word(*_EXPLAIN_WORDS, "format"):
        has_value = rest[0].is_word("format") and len(rest) > 2 and rest[1].is_mark("=")
        rest = rest[3 if has_value else 1 :]
    first = next((token for token in rest if not token.is_mark("(")), None)
    return rest if first is not None and first.is_word(*STARTS - {"table"}) else tokens


def one_select(sql: str) -> list[Token] | Refusal:
    """The tokens of the one SELECT, or why the text is none."""
    try:
        tokens = _explained(tokenize(sql, "mysql"))
    except UnreadableError as error:
        return Refusal("denied", str(error))
    return _shape(tokens) or _words(tokens) or tokens


def forbidden_call(tokens: list[Token], forbidden: frozenset[str]) -> Refusal | None:
    """A refusal when the statement calls one of these functions."""
    found = sorted(called(tokens) & forbidden)
    return Refusal("denied", f"the function {found[0]} may not be called here", found[0]) if found else None
