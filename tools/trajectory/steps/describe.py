"""Steps in plain words, for a reader who knows data frames and not SQL."""

import re

from sqlglot import exp

from critiql.tools.trajectory.language.actions import (
    Aggregate,
    Combine,
    Define,
    Distinct,
    Filter,
    Frame,
    Group,
    Having,
    Join,
    Node,
    Project,
    Qualify,
    Scan,
    Skip,
    Sort,
    Start,
    Step,
    Take,
    Trajectory,
    Values,
    Window,
)
from critiql.tools.trajectory.language.decompile import print_node
from critiql.tools.trajectory.language.fields import Arguments, arguments
from critiql.tools.trajectory.language.references import references

SET_WORDS = {
    "union": "Add the rows of {} below; drop repeated rows",
    "union_all": "Add the rows of {} below; keep repeated rows",
    "intersect": "Keep the distinct rows that {} has too",
    "intersect_all": "Keep the rows that {} has too, as often as both have them",
    "except": "Take away every row that {} has; drop repeated rows",
    "except_all": "Take away the rows of {}, one for one",
}
KEPT = {
    "left": "; rows without a match stay, with NULLs",
    "right": "; rows of the new table without a match stay, with NULLs",
    "full": "; rows without a match stay on both sides, with NULLs",
    "semi": "; only whether there is a match counts",
    "anti": "; keep the rows without a match",
}


SENTENCES: dict[type[Step], str] = {
    Scan: "Start with every row of {source}.",
    Values: "Start with these rows: {rows}.",
    Filter: "Keep the rows where {condition}.",
    Having: "Keep the groups where {condition}.",
    Window: "Give a window a name: {definition}.",
    Qualify: "Keep the rows where {condition}, once the windows are computed.",
    Project: "Keep only {items}.",
    Skip: "Leave out the first {count} rows.",
    Take: "Keep the first {count} rows.",
    Group: "Put rows with the same {keys} into one group.",
}
FIXED = {
    "Keep only *.": "Keep every column.",
    "Keep the first 1 rows.": "Keep the first row only.",
    "Leave out the first 1 rows.": "Leave out the first row.",
}


FRAME_WORDS = (
    (re.compile(r"\bscalar\((\w+)\)"), r"the value of \1"),
    (re.compile(r"\bNOT EXISTS\((df_*\d+)\)"), r"\1 has no row"),
    (re.compile(r"\bEXISTS\((df_*\d+)\)"), r"\1 has a row"),
    (re.compile(r"\bNOT IN \((df_*\d+)\)"), r"is not in \1"),
    (re.compile(r"\bIN \((df_*\d+)\)"), r"is in \1"),
)
"""How a frame inside an expression is said; a frame's name is letters and a number."""


def describe(step: Step, frame: Frame, trajectory: Trajectory) -> str:
    """One sentence on what a step does to the rows so far."""
    sentence = _sentence(step, frame, trajectory)
    if len(trajectory.frames) > 1:
        for pattern, words in FRAME_WORDS:
            sentence = pattern.sub(words, sentence)
    return sentence


def _sentence(step: Step, frame: Frame, trajectory: Trajectory) -> str:
    given = arguments(step, trajectory.dialect, trajectory.names)
    match step:
        case Define():
            body = references(step.definition, trajectory.names)
            name = body[0].name if body else "the rows"
            return f"From here on {step.definition.alias} means the rows of {name}."
        case Join():
            return _join(step, given)
        case Aggregate():
            return _aggregate(frame, given)
        case Sort():
            return f"Sort by {', '.join(_sort_key(key, trajectory.dialect) for key in step.keys)}."
        case Distinct():
            return f"Keep one row per {_listed(given['on'])}." if step.on else "Drop repeated rows."
        case Combine():
            return SET_WORDS[step.operator].format(_frame_name(step.frame)) + "."
        case Start():
            return f"Start with the rows of {_frame_name(step.frame)}."
        case _:
            return _simple(step, given)


def _simple(step: Step, given: Arguments) -> str:
    text = {name: _worded(name, _listed(value)) for name, value in given.items()}
    sentence = SENTENCES[type(step)].format(**text)
    return FIXED.get(sentence, sentence)


def _worded(name: str, text: str) -> str:
    return {"source": _source, "condition": _bare}.get(name, str)(text)


def _join(step: Join, given: Arguments) -> str:
    source = _source(str(given["source"]))
    words = step.how.split()
    if "natural" in words:
        match = "where the columns of the same name agree"
    elif step.using:
        match = f"with the same {_listed(given['using'])}"
    elif step.on is not None:
        match = f"where {given['on']}"
    else:
        return f"Pair every row with every row of {source}."
    rest = next((KEPT[word] for word in words if word in KEPT), "; rows without a match drop out")
    comma = "," if ", called " in source else ""
    return f"Put beside each row every row of {source}{comma} {match}{rest}."


def _aggregate(frame: Frame, given: Arguments) -> str:
    items = _listed(given["items"])
    if any(isinstance(step, Group) for step in frame.steps):
        return f"Make one row per group: {items}."
    return f"Make one row out of all of them: {items}."


def _sort_key(key: Node, dialect: str) -> str:
    if not isinstance(key, exp.Ordered):
        return print_node(key, dialect)
    return f"{print_node(key.this, dialect)}, {'largest' if key.args.get('desc') else 'smallest'} first"


def _source(text: str) -> str:
    name, found, alias = text.rpartition(" AS ")
    return f"{name}, called {alias}" if found else text


def _frame_name(node: Node) -> str:
    leaf = node.find(exp.Var)
    return leaf.name if leaf is not None else ""


def _bare(condition: str) -> str:
    """Without the parentheses around a lone OR: in a sentence they say nothing."""
    inner = condition[1:-1]
    whole = condition.startswith("(") and condition.endswith(")") and not set("()'\"") & set(inner)
    return inner if whole else condition


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
