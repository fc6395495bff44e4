"""Statements made of two lists: every lexical form of an engine around every forbidden call and read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ATTACKS = Path(__file__).parents[1] / "fixtures" / "attacks"


class Made(NamedTuple):
    """A statement, and whether only a policy forbids it."""

    sql: str
    needs_policy: bool


def made(engine: str) -> Iterator[Made]:
    """Every form of `ENGINE_forms.jsonl` filled with every call and every read of it.

    A line has `form` with `{x}` for an expression, `call` that nobody may run, or `read` that the policy
    denies.
    """
    lines = [json.loads(line) for line in (ATTACKS / f"{engine}_forms.jsonl").read_text("utf-8").splitlines()]
    forms = [line["form"] for line in lines if "form" in line]
    for kind in ("call", "read"):
        for inner in (line[kind] for line in lines if kind in line):
            for form in forms:
                yield Made(form.replace("{x}", inner), kind == "read")
