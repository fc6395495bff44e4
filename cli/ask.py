"""critiql ask: a question, the trace as it happens, then the SQL, the rows and how sure it is."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from critiql.cli.completion import complete_graph, complete_model, complete_setting
from critiql.cli.screen import exit_codes
from critiql.cli.screen.json_text import json_text
from critiql.cli.screen.rows import print_rows
from critiql.tools.schema.quoting import escape, escape_lines

LONGEST_INPUT = 1_000_000
"""Characters read from standard input; more is not a question."""


GraphName = Annotated[str, typer.Option(help="Which graph answers.", autocompletion=complete_graph)]
ModelName = Annotated[str, typer.Option(help="Model of all roles.", autocompletion=complete_model)]
CriticName = Annotated[str, typer.Option(help="Model of the LLM critic.", autocompletion=complete_model)]
Rounds = Annotated[int | None, typer.Option(min=1, max=20, help="Queries written at most.", show_default="5")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any other setting, as name=value.", autocompletion=complete_setting),
]
Checkpoint = Annotated[
    str, typer.Option(help="File, or URL of a PostgreSQL, that keeps the run; asked again it goes on there.")
]


def ask(
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    db: Annotated[str, typer.Option(help="Path or URL; without it the sample database.")] = "",
    graph: GraphName = "text_to_sql",
    model: ModelName = "",
    critic_model: CriticName = "",
    z: Rounds = None,
    evidence: Annotated[str, typer.Option(help="What is known beyond the schema.")] = "",
    setting: Settings = None,
    examples: Annotated[str, typer.Option(help="File of verified pairs to learn from: question, sql.")] = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask anew what was answered before.")] = False,
    checkpoint: Checkpoint = "",
    thread: Annotated[
        str, typer.Option(help="Name of the run within the checkpoint.", show_default="default")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No trace: only the SQL and the rows.")] = False,
    allow_table: Annotated[list[str] | None, typer.Option(help="Only these tables may be read.")] = None,
    deny_table: Annotated[list[str] | None, typer.Option(help="A table that may not be read.")] = None,
    deny_column: Annotated[
        list[str] | None, typer.Option(help="A table.column that may not be read.")
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="No cell and no literal in the trace; the answer stays whole.")
    ] = False,
    local: Annotated[
        bool, typer.Option("--local", help="Load the model here, even where a server has it loaded.")
    ] = False,
    otel: Annotated[
        bool, typer.Option("--otel", help="Send OpenTelemetry spans of this run; it is then run here.")
    ] = False,
) -> None:
    """Answer a question about a database."""
    from critiql.cli.screen.failures import failures
    from critiql.tools.models.prices import price_table
    from critiql.tools.telemetry import start

    chosen = {
        "model": model,
        "llm_critic_model": critic_model,
        "examples": examples,
        "z": z,
        "allow_tables": tuple(allow_table or ()),
        "deny_tables": tuple(deny_table or ()),
        "deny_columns": tuple(deny_column or ()),
    }
    with failures():
        if otel:
            start()
        price_table()  # one that cannot be read is said before a model is asked
        options = {
            "graph": graph,
            "context": context_of(chosen, setting or [], graph, fresh=fresh),
            "evidence": evidence,
            "redact": redact,
            **_durability(checkpoint, thread),
        }
        shown = not (as_json or quiet)
        answer = asyncio.run(_follow(_read(question), db, options, show=shown, local=local or otel))
    _end(answer, as_json=as_json, quiet=quiet)


def _end(answer: Any, *, as_json: bool, quiet: bool) -> None:
    """Print the answer, and leave with its code."""
    typer.echo(json_text(as_dict(answer))) if as_json else _print(answer, quiet)
    raise typer.Exit(exit_codes.FAILED if answer.status in ("failed", "abstained") else exit_codes.OK)


def as_dict(answer: Any) -> dict[str, Any]:
    """The JSON form of an answer; its words are plain text, not Markdown."""
    from critiql.agent.wording.sentence import unmarked

    document: dict[str, Any] = answer.model_dump(mode="json", exclude={"calls", "events"})
    for candidate in document["candidates"]:
        candidate.setdefault("p_true", None)
    return {
        **document,
        "in_words": unmarked(answer.in_words),
        "how_sure": answer.how_sure,
        "model_calls": answer.model_calls,
        "escalated": answer.escalated,
        "tokens": answer.tokens().model_dump(),
        "tokens_per_role": {role: tokens.model_dump() for role, tokens in answer.usage().items()},
        "cost": answer.cost().model_dump(),
        "trace": answer.events,
    }


def _read(question: str) -> str:
    """The question, or standard input for `-`."""
    return sys.stdin.read(LONGEST_INPUT) if question == "-" else question


def context_of(
    options: dict[str, Any], settings: list[str], graph: str = "text_to_sql", *, fresh: bool = True
) -> Any:
    """The settings of the run: the options that were given, then every `--set name=value`.

    Unless it is to be asked afresh, a question is answered as before where the graph can remember.

    Raises:
        UnknownGraphError: there is no such graph.
        ValidationError: the graph does not take one of them, or not that value.
    """
    from critiql.agent.graph_contexts import context_of_graph

    kind = context_of_graph(graph)
    given = {name: value for name, value in options.items() if value not in ("", None, ())}
    if not fresh and "answer_cache" in kind.taken():
        given["answer_cache"] = True
    for item in settings:
        name, equals, value = item.partition("=")
        if not equals:
            raise typer.BadParameter(f"{item!r} is not of the form name=value", param_hint="--set")
        given[name] = _value(value)
    return kind.model_validate(given)


def _value(text: str) -> Any:
    """A JSON value, or the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _durability(checkpoint: str, thread: str) -> dict[str, str]:
    """Where the run is kept, and under which name."""
    if thread and not checkpoint:
        raise typer.BadParameter("it names a run within a --checkpoint", param_hint="--thread")
    return {"checkpoint": checkpoint, **({"thread": thread} if thread else {})}


async def _follow(question: str, db: str, options: dict[str, Any], *, show: bool, local: bool) -> Any:
    """Run the graph; draw each event of the trace where it is to be shown."""
    from critiql.agent.answer import Answer
    from critiql.cli.screen.pulling import pull_missing
    from critiql.cli.screen.trace import TracePrinter
    from critiql.cli.warm import warm_question, warm_stream

    printer = TracePrinter(Console(stderr=True))
    answer: Answer | None = None
    warm = None if local else warm_question(question, db, options)
    if not warm:
        pull_missing(options["context"].models())
    place = Path(db) if Path(db).exists() and db else db
    items = warm_stream(*warm) if warm else _stream(question, place, options)
    async for item in items:
        if isinstance(item, Answer):
            answer = item
        elif show:
            printer.show(item)
    if answer is None:
        msg = "the graph ended without an answer"
        raise RuntimeError(msg)
    return answer


def _stream(question: str, place: str | Path, options: dict[str, Any]) -> AsyncIterator[Any]:
    """The run in this process; a server that has the model loaded needs no LangGraph here."""
    from critiql.graphs.api import stream

    return stream(question, place, **options)


def _print(answer: Any, quiet: bool) -> None:
    """The SQL, the rows, and how sure the answer is."""
    from critiql.agent.cost import in_words
    from critiql.agent.wording.sentence import unmarked

    console = Console()
    if answer.status != "abstained":
        console.print(escape_lines(answer.sql), markup=False, highlight=False, style="" if quiet else "bold")
        print_rows(console, answer.columns, answer.rows, truncated=answer.truncated)
        if quiet:
            return
    told = () if len(answer.rows) > 1 else (unmarked(answer.in_words),)
    sure = () if answer.status == "abstained" else (answer.how_sure,)
    for line in (*told, *answer.assumptions, *sure):
        console.print(escape(line), markup=False, highlight=False)
    for line in filter(None, (_effort(answer), in_words(answer.cost()))):
        console.print(escape(line), markup=False, highlight=False, style="dim")


def _effort(answer: Any) -> str:
    """What the answer took."""
    from critiql.agent.wording.sentence import counted

    tokens, calls = answer.tokens(), counted(answer.model_calls, "model call")
    larger = ", one of a larger model" if answer.escalated else ""
    read = f"{tokens.prompt - tokens.cached} tokens read, {tokens.cached} known from before"
    return f"{calls}{larger}; {read}, {tokens.generated} written; {answer.seconds:.1f} s"
