"""Error tokens as a grammar: a model that runs here writes them and nothing else (ErrorLLM, equation 19)."""

import json
from functools import cache

from critiql.tools.errors.types.catalogue import ERROR_TYPES, NULL_TOKEN

MOST = 5
"""Error tokens of one answer at most."""


@cache
def token_grammar() -> str:
    """GBNF: the null token alone, or some error tokens in any order."""
    tokens = " | ".join(json.dumps(error.token) for error in ERROR_TYPES)
    return f'root ::= {json.dumps(NULL_TOKEN)} | error (" " error){{0,{MOST - 1}}}\nerror ::= {tokens}\n'
