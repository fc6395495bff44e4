"""Grammars that hold a local model to a valid answer while it writes: filled masks, edit scripts."""

import json

from critiql.tools.schema.model import Schema
from critiql.tools.trajectory.repair.mask import Masked, choices

EDIT_OPENING = '{"edits": ['
"""What an edit script begins with; the grammar goes on from there."""
EDIT_GRAMMAR = r"""
root ::= (edit (", " edit){0,7})? "]}"
edit ::= add | frame | delete | substitute
add ::= "{\"op\": \"add\", \"after\": " number ", \"action\": " string "}"
frame ::= "{\"op\": \"add_frame\", \"text\": " string "}"
delete ::= "{\"op\": \"delete\", \"line\": " number "}"
substitute ::= "{\"op\": \"substitute\", \"line\": " number ", \"action\": " string "}"
number ::= [1-9] [0-9]?
string ::= "\"" character{1,240} "\""
character ::= [^"\\\x00-\x1F] | "\\" ["\\/n]
"""


def mask_opening(masked: Masked) -> str:
    """What the answers begin with; the grammar goes on from there. Empty when there is no mask."""
    return f"{masked.masks[0].name} = " if masked.masks else ""


def mask_grammar(masked: Masked, schema: Schema) -> str:
    """One line a mask, each filled with a table or column of the schema; continues `mask_opening`."""
    lines: list[str] = []
    for number, one in enumerate(masked.masks):
        name = f"{_literal(f'{one.name} = ')} " if number else ""
        lines.append(f'{name}{one.kind} "\\n"')
    rules = [f"root ::= {' '.join(lines)}"]
    for kind in ("table", "column"):
        example = next((one for one in masked.masks if one.kind == kind), None)
        if example is not None:
            rules.append(f"{kind} ::= {' | '.join(map(_literal, choices(example, schema)))}")
    return "\n".join(rules) + "\n"


def _literal(text: str) -> str:
    """A GBNF literal: the escapes of JSON are those of GBNF."""
    return json.dumps(text, ensure_ascii=False)
