"""Grammars that hold a local model to a valid answer while it writes: filled masks, edit scripts."""

import json
from collections.abc import Mapping, Sequence

from sqlglot import exp

from critiql.tools.schema.model import Schema, Table
from critiql.tools.trajectory.language.actions import (
    Aggregate,
    Distinct,
    Filter,
    Frame,
    Group,
    Having,
    Join,
    Scan,
    Skip,
    Sort,
    Take,
    Trajectory,
)
from critiql.tools.trajectory.language.fields import action_name
from critiql.tools.trajectory.repair.mask import Masked, choices

EDIT_OPENING = '{"edits": ['
"""What an edit script begins with; the grammar goes on from there."""
_EDITS = 3
"""Edits of one script at most."""
_ITEMS = 5
"""Columns of a step that is written anew."""
_DELETED = (Filter, Having, Distinct, Sort, Take, Skip)
"""Steps that may be taken away whatever else the script does."""
_WORDS = r"""
op ::= " = " | " <> " | " > " | " >= " | " < " | " <= "
value ::= number | text
number ::= "-"? [0-9]{1,9} ("." [0-9]{1,6})?
text ::= "'" [^'"\\\x00-\x1F]{0,60} "'"
limit ::= "limit(" [1-9] [0-9]{0,2} ")"
"""
_FUNCTIONS = '("COUNT(" "DISTINCT "? | "SUM(" | "AVG(" | "MIN(" | "MAX(")'
_ACTION, _CLOSE = '"action": "', '"}'


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


def edit_grammar(trajectory: Trajectory, schema: Schema) -> str | None:
    """Scripts that can be carried out on this trajectory, each line touched once; None where nothing can.

    A step is replaced by one of its own kind, written with the columns that its frame has in reach; only
    steps that nothing rests on are taken away. The script continues `EDIT_OPENING`.
    """
    rules: list[str] = []
    edits: list[str] = []
    line = 1
    for number, frame in enumerate(trajectory.frames):
        scope = _scope(frame, schema)
        if scope:
            is_result = number == len(trajectory.frames) - 1
            steps = _step_rules(f"f{number}", frame, scope, trajectory.dialect)
            rules += [f"{name} ::= {body}" for name, body in steps.items()]
            edits += _frame_edits(f"f{number}", frame, line, set(steps), is_result=is_result)
        line += len(frame.steps)
    if not edits:
        return None
    return "\n".join([_script(len(edits)), *_numbered(edits), *rules]) + _WORDS


def _script(edits: int) -> str:
    """Rules of a script: some of the edits, in order, none twice."""
    rules = ['root ::= "]}" | s0x1']
    for count in range(1, _EDITS + 1):
        for at in range(edits):
            more = f' | e{at} ", " s{at + 1}x{count + 1}' if count < _EDITS and at + 1 < edits else ""
            later = f" | s{at + 1}x{count}" if at + 1 < edits else ""
            rules.append(f's{at}x{count} ::= e{at} "]}}"{more}{later}')
    return "\n".join(rules)


def _numbered(edits: Sequence[str]) -> list[str]:
    return [f"e{at} ::= {edit}" for at, edit in enumerate(edits)]


def _frame_edits(name: str, frame: Frame, line: int, steps: set[str], *, is_result: bool) -> list[str]:
    """Per line of a frame what may be done to it; then one step that may be added to the frame."""
    edits: list[str] = []
    for at, step in enumerate(frame.steps, start=line):
        kind = action_name(step)
        ways = [_op("delete", f'"line": {at}')] if isinstance(step, _DELETED) else []
        if f"{name}{kind}" in steps and (is_result or isinstance(step, (Filter, Having, Join))):
            ways.append(_op("substitute", f'"line": {at}', f"{name}{kind}"))
        if ways:
            edits.append(" | ".join(ways))
    held = {action_name(step) for step in frame.steps}
    added = {"where"} | (({"distinct", "orderby", "limit"} - held) if is_result else set())
    added |= {"having"} - held if "groupby" in held else set()
    rules = sorted(f"{name}{kind}" for kind in added if f"{name}{kind}" in steps)
    edits += [_op("add", f'"after": {line}', f"({' | '.join(rules)})")] if rules else []
    return edits


def _op(op: str, place: str, step: str = "") -> str:
    """One edit as GBNF; a step is a rule whose text stands in a JSON string."""
    head = f'{{"op": "{op}", {place}'
    if not step:
        return _literal(head + "}")
    return f"{_literal(head + ', ' + _ACTION)} {step} {_literal(_CLOSE)}"


def _step_rules(name: str, frame: Frame, scope: Mapping[str, Table], dialect: str) -> dict[str, str]:
    """A rule for each kind of step that the frame may get, over its own columns."""
    columns = [_column(alias, c.name, dialect) for alias, table in scope.items() for c in table.columns]
    column, item = f"{name}column", f"{name}item"
    aggregated = any(isinstance(step, (Aggregate, Group)) for step in frame.steps)
    listed = f"{{0,{_ITEMS - 1}}}"
    key = item if aggregated else column
    rules = {
        column: " | ".join(_literal(json.dumps(text, ensure_ascii=False)[1:-1]) for text in columns),
        f"{name}count": f'"COUNT(*)" | {_FUNCTIONS} {column} ")"',
        item: f"{column} | {name}count",
        f"{name}condition": (
            f'{column} (op (value | {column}) | " LIKE " text | " IS NULL" | " IS NOT NULL" '
            f'| " BETWEEN " value " AND " value)'
        ),
        f"{name}where": f'"where(" {name}condition (" OR " {name}condition)? ")"',
        f"{name}having": f'"having(" {name}count op number ")"',
        f"{name}groupby": f'"groupby(" {column} (", " {column}){{0,1}} ")"',
        f"{name}agg": f'"agg(" {item} (", " {item}){listed} ")"',
        f"{name}select": f'"select(" {column} (", " {column}){listed} ")"',
        f"{name}orderby": f'"orderby(" {key} " DESC"? (", " {key} " DESC"?){{0,1}} ")"',
        f"{name}distinct": '"distinct()"',
        f"{name}limit": "limit",
    }
    if not aggregated:
        rules[f"{name}select"] += f' | "agg(" {name}count ")"'
    return rules


def _scope(frame: Frame, schema: Schema) -> dict[str, Table]:
    """The tables of a frame by the names they have in it; empty where it reads anything else."""
    sources = [step.source for step in frame.steps if isinstance(step, (Scan, Join))]
    tables = {table.name.casefold(): table for table in schema.tables}
    found = {
        source.alias_or_name: tables[source.name.casefold()]
        for source in sources
        if isinstance(source, exp.Table) and source.name.casefold() in tables
    }
    return found if len(found) == len(sources) else {}


def _column(alias: str, name: str, dialect: str) -> str:
    return exp.column(exp.to_identifier(name), table=exp.to_identifier(alias)).sql(dialect)
