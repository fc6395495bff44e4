"""One turn of a conversation on a terminal: the query with its rows, or what was said."""

from typing import Any

from rich.console import Console

from critiql.agent.answer import Answer
from critiql.agent.wording.sentence import unmarked
from critiql.cli.screen.rows import print_rows
from critiql.tools.schema.quoting import escape, escape_lines


def show_turn(console: Console, values: dict[str, Any]) -> None:
    """Draw the answer of a turn.

    Args:
        console: where to.
        values: the conversation as the graph `assistant` gives it.
    """
    answer = values.get("answer")
    told_in_text = not values.get("problem") and not (answer and answer["columns"])
    if values.get("question") != values.get("said") and values.get("tool") == "ask" and not told_in_text:
        _say(console, f"Understood as: {values['question']}", style="italic")
    if values.get("problem"):
        _say(console, values["problem"]["message"], style="red")
    elif answer and answer["columns"]:
        _show_answer(console, answer)
    else:
        _say(console, unmarked(values.get("text", "")))


def _show_answer(console: Console, answer: dict[str, Any]) -> None:
    """The query, its rows, and what is to be known of them."""
    console.print(escape_lines(answer["sql"]), markup=False, highlight=False, style="bold", soft_wrap=True)
    print_rows(console, answer["columns"], answer["rows"], truncated=answer["truncated"])
    told = () if len(answer["rows"]) > 1 else (unmarked(answer["in_words"]),)
    for line in (*told, *answer["assumptions"]):
        console.print(escape(line), markup=False, highlight=False, soft_wrap=True)
    if answer.get("other"):
        _say(console, f"Another reading: {answer['other']['words']}")
    _say(console, Answer.model_validate(answer).how_sure, style="dim")


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(escape_lines(text), markup=False, highlight=False, style=style, soft_wrap=True)
