"""What the semantic detector reads before the error-token head looks at the model's hidden state.

The same text in training and in use: the head stores the digest and refuses to read after another one.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from critiql import prompts
from critiql.tools.errors.catalogue import ERROR_TYPES, NULL_TOKEN
from critiql.tools.errors.error_type import Finding

NAME = "error_detector"


@cache
def types_text() -> str:
    """One line for each error token: the null token, then every type with its description."""
    known = [f"{error.token} {error.name}: {error.description}" for error in ERROR_TYPES]
    return "\n".join([f"{NULL_TOKEN} No Error: the SQL answers the question.", *known])


@cache
def detector_digest() -> str:
    """Version of the prompt and the type definitions in it: 12 hex digits."""
    return sha256((prompts.load(NAME).text + types_text()).encode()).hexdigest()[:12]


def detector_request(question: str, sql: str, result: str, findings: Sequence[Finding]) -> str:
    """The request on one query.

    Args:
        question: with its notes.
        sql: canonical text.
        result: what running it gave, as `result_text` writes it; `not run` where nothing was run.
        findings: of the static rules.
    """
    found = [f"{finding.type}: {finding.explanation}" for finding in findings]
    return prompts.load(NAME).render(
        types=types_text(), question=question, sql=sql, result=result, findings="; ".join(found) or "nothing"
    )
