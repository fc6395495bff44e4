"""What the semantic detector reads, be it the error-token head or a model that writes error tokens.

The same text in training and in use: a head stores the digest and refuses to read after another one. So a
head reads the plain form, and only a model that answers in words is shown graph and tree.
"""

from collections.abc import Collection, Sequence
from functools import cache
from hashlib import sha256

from critiql import prompts
from critiql.agent.evidence import Execution
from critiql.agent.wording.result import result_text
from critiql.tools.errors.guide.parts import Part
from critiql.tools.errors.guide.shown import shown_text
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read
from critiql.tools.errors.types.catalogue import ERROR_TYPES, NULL_TOKEN
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.linking.link import Link
from critiql.tools.models.model import Prompt
from critiql.tools.sql.canonical import canonical

NAME = "error_detector"
NAME_WITH_PARTS = "error_detector_shown"


@cache
def types_text() -> str:
    """One line for each error token: the null token, then every type with its description."""
    known = [f"{error.token} {error.name}: {error.description}" for error in ERROR_TYPES]
    return "\n".join([f"{NULL_TOKEN} No Error: the SQL answers the question.", *known])


@cache
def detector_digest() -> str:
    """Version of the prompt and the type definitions in it: 12 hex digits."""
    return sha256((prompts.load(NAME).text + types_text()).encode()).hexdigest()[:12]


def detector_prompt(
    prefix: str,
    question: str,
    query: Query,
    execution: Execution | None,
    *,
    rules: bool = True,
    parts: Collection[Part] = (),
    links: Sequence[Link] = (),
    values: bool = True,
) -> Prompt:
    """The prompt on one query, in canonical text: style must tell nothing.

    Args:
        prefix: system line and schema.
        question: with its notes.
        query: as the rules read it, whatever its text looks like.
        execution: what running it gave; None where nothing was run.
        rules: whether the prompt says what the static rules find.
        parts: what is shown beside the query.
        links: what the question's words name; only the parts show them.
        values: whether the parts may show values of the database.
    """
    sql = canonical(query.tree, query.parsed.dialect)
    again = read(sql, query.schema, question=question, execution=query.execution, values=query.values)
    assert not isinstance(again, Finding)  # it is the canonical text of what was read before
    shown = shown_text(again, links, parts, values=values)
    findings = detect(again) if rules else []
    return Prompt(prefix, detector_request(question, sql, result_text(execution), findings, shown))


def detector_request(
    question: str, sql: str, result: str, findings: Sequence[Finding], shown: str = ""
) -> str:
    """The request on one query.

    Args:
        question: with its notes.
        sql: canonical text.
        result: what running it gave, as `result_text` writes it; `not run` where nothing was run.
        findings: of the static rules.
        shown: paragraphs of `shown_text`; empty for the plain form.
    """
    found = [f"{finding.type}: {finding.explanation}" for finding in findings]
    slots = {"types": types_text(), "question": question, "sql": sql, "result": result}
    slots["findings"] = "; ".join(found) or "nothing"
    if shown:
        return prompts.load(NAME_WITH_PARTS).render(shown=shown, **slots)
    return prompts.load(NAME).render(**slots)
