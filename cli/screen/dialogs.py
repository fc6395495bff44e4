"""Asking a person in a terminal: which reading is meant, and whether a query may be run."""

import sys
from contextlib import suppress
from typing import Any

from rich.console import Console

from critiql.tools.schema.quoting import escape_lines

Decision = dict[str, Any]
"""One decision in the shape that LangChain's clients send."""


class Answers:
    """Lines that a person types, or that come through a pipe."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty()
        if self.is_terminal:
            with suppress(ImportError):  # no editing of lines where the system has none
                import readline  # noqa: F401 - its import makes `input` edit lines

    def read(self, prompt: str) -> str:
        """The next line; the prompt is shown only to a person.

        Raises:
            EOFError: there is none.
        """
        return input(prompt if self.is_terminal else "")


def ask_person(asked: dict[str, Any], answers: Answers) -> Decision:
    """Show what the graph asks, and read the decision.

    Raises:
        EOFError: the input has ended.
    """
    request = asked["action_requests"][0]
    console = Console()
    if request["name"] == "clarify":
        return which_reading(request["args"]["readings"], console, answers)
    return may_run(request["args"]["sql"], console, answers)


def which_reading(readings: list[dict[str, Any]], console: Console, answers: Answers) -> Decision:
    """Let the person choose a reading, or say it in words; nothing said is the likelier one."""
    _say(console, "The question can be read in two ways.", style="bold")
    for one in readings:
        _say(console, f"{one['title']}: {one['words']}")
        _say(console, one["sql"], style="dim")
    _say(console, "Which one is meant? A, B, or in your own words. Enter takes A.")
    said = answers.read("? ").strip()
    return {"type": "respond", "message": said} if said else {"type": "approve"}


def may_run(sql: str, console: Console, answers: Answers) -> Decision:
    """Let the person approve, refuse or change a query, or say what is wrong with it."""
    _say(console, "May this query be run?", style="bold")
    _say(console, sql)
    _say(console, "y runs it, n does not, e changes it; or say what should be different.")
    while not (said := answers.read("? ").strip()):
        continue
    if said.casefold() in ("y", "yes"):
        return {"type": "approve"}
    if said.casefold() in ("n", "no"):
        return {"type": "reject"}
    if said.casefold() in ("e", "edit"):
        edited = answers.read("SQL: ").strip() or sql
        return {"type": "edit", "edited_action": {"name": "run_sql", "args": {"sql": edited}}}
    return {"type": "respond", "message": said}


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(escape_lines(text), markup=False, highlight=False, style=style, soft_wrap=True)
