"""A person's act: this query answers this question. Nothing else ever writes into the verified memory."""

from datetime import UTC, datetime

from critiql.agent.memory.likeness import example
from critiql.agent.memory.verified import Kept, Verified, VerifiedError, keep, name_of, structure_of
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure, Limits, Rows
from critiql.tools.question_pairs import Pair

LONGEST_NAME = 100
"""Characters of a person's name."""


def confirm(
    question: str, sql: str, database: Database, who: str, *, limits: Limits, instead: bool = False
) -> tuple[Kept, Rows]:
    """Keep a pair that somebody confirmed, if its query runs and can be shown.

    Args:
        question: in plain language.
        sql: the query that answers it.
        database: the open database; the query goes through the same guard as any other.
        who: the person's name.
        limits: of running it.
        instead: put it in the place of another query for the same question.

    Returns:
        The pair, and the rows that its query gives now.

    Raises:
        VerifiedError: something is missing, the query does not run, or another one is kept for the question.
        DatabaseError: the database cannot be read.
    """
    question, sql, who = " ".join(question.split()), sql.strip().rstrip(";").strip(), " ".join(who.split())
    _complete(question, sql, who)
    result = database.run(sql, limits)
    if isinstance(result, Failure):
        raise VerifiedError(f"The query does not run, so it was not kept. {result.kind}: {result.message}")
    _, trouble = example(Pair(0, question, sql), database.schema())
    if trouble:
        raise VerifiedError(f"The query cannot be shown as an example, so it was not kept: {trouble}.")
    pair = Verified(
        question=question,
        sql=sql,
        database=name_of(database),
        structure=structure_of(database.schema()),
        dialect=database.dialect,
        who=who,
        when=datetime.now(UTC).replace(microsecond=0),
    )
    return keep(pair, instead=instead), result


def _complete(question: str, sql: str, who: str) -> None:
    """See that nothing is missing.

    Raises:
        VerifiedError: something is, or a name is no name.
    """
    for what, text in (("question", question), ("SQL", sql), ("name of the person who verified it", who)):
        if not text:
            raise VerifiedError(f"The {what} is missing. Give question, SQL and who verified them.")
    if len(who) > LONGEST_NAME:
        raise VerifiedError(f"The name of the person has more than {LONGEST_NAME} characters. Shorten it.")
