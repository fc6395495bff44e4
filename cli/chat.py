"""critiql chat: a conversation in the terminal, by the graph `assistant`."""

import asyncio
import getpass
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from critiql.cli.completion import complete_graph, complete_model, complete_setting
from critiql.cli.screen.dialogs import Answers, ask_person
from critiql.cli.screen.failures import failures
from critiql.cli.screen.turn import show_turn
from critiql.tools.schema.quoting import escape

HELP = "/verify keeps the last answer as verified, /quit ends. Ctrl-C stops an answer."
THREAD = "chat"


def chat(
    db: Annotated[str, typer.Option(help="Path or URL; without it the sample database.")] = "",
    graph: Annotated[
        str, typer.Option(help="Which graph answers a question.", autocompletion=complete_graph)
    ] = "text_to_sql",
    model: Annotated[str, typer.Option(help="Model of all roles.", autocompletion=complete_model)] = "",
    evidence: Annotated[str, typer.Option(help="What is known beyond the schema.")] = "",
    approve: Annotated[bool, typer.Option("--approve", help="Run no query before you have seen it.")] = False,
    no_clarify: Annotated[
        bool, typer.Option("--no-clarify", help="Take the likelier of two readings instead of asking.")
    ] = False,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, as name=value.", autocompletion=complete_setting),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No trace.")] = False,
) -> None:
    """Ask one question after the other; a follow-up may lean on what was asked before.

    Exit codes: 0 ended by Ctrl-D or /quit, 2 wrong usage, 3 the database cannot be read.
    """
    from critiql.cli.ask import context_of
    from critiql.graphs.catalogue import graph as graph_of
    from critiql.tools.database.named import named_database

    with failures():
        graph_of(graph)
        settings = context_of({"model": model}, setting or []).model_dump(mode="json", exclude_unset=True)
        named_database(db).schema()
        choices = {"graph": graph, "evidence": evidence, "approve": approve, "clarify": not no_clarify}
        conversation = Conversation(db, {**settings, **choices}, quiet=quiet)
        with asyncio.Runner() as runner:
            converse(conversation, runner)


class Conversation:
    """One thread of the assistant, kept in memory until the chat ends."""

    def __init__(self, database: str, context: dict[str, Any], *, quiet: bool = False) -> None:
        from langgraph.checkpoint.memory import InMemorySaver

        from critiql.cli.screen.trace import TracePrinter
        from critiql.graphs.assistant import TraceOnEventStream, builder

        self.graph: Any = builder.compile(checkpointer=InMemorySaver(), transformers=[TraceOnEventStream])
        self.database = database
        self.context = context
        self.config = {"configurable": {"thread_id": THREAD}}
        self.printer = None if quiet else TracePrinter(Console(stderr=True))
        self.last: dict[str, Any] | None = None

    async def say(self, text: str) -> dict[str, Any]:
        """One message; returns the values of the conversation, with what the person is asked."""
        message = {"role": "user", "content": text}
        return await self._run({"messages": [message], "database": self.database})

    async def decide(self, decision: dict[str, Any]) -> dict[str, Any]:
        """What the person decided when asked."""
        from langgraph.types import Command

        return await self._run(Command(resume={"decisions": [decision]}))

    async def _run(self, given: Any) -> dict[str, Any]:
        """Run until the turn is over or the person is asked; the trace is drawn as it comes."""
        from critiql.agent.events import EVENT

        values: dict[str, Any] = {}
        parts = self.graph.astream(given, self.config, context=self.context, stream_mode=["custom", "values"])
        async for mode, part in parts:
            if mode == "values":
                values = part
            elif self.printer:
                self.printer.show(EVENT.validate_python(part))
        self.last = values.get("last")
        return values


def converse(conversation: Conversation, runner: asyncio.Runner) -> None:
    """Take messages until the input ends; Ctrl-C stops an answer, and not the chat."""
    answers = Answers()
    if answers.is_terminal:
        typer.secho(f"Ask about the database. {HELP} End with Ctrl-D.", dim=True, err=True)
    while True:
        try:
            said = answers.read("> ").strip()
            if said == "/quit":
                return
            if said:
                reply(said, conversation, runner, answers)
        except EOFError:
            if answers.is_terminal:
                typer.echo()
            return
        except KeyboardInterrupt:
            typer.secho("\nStopped. The conversation goes on; Ctrl-D ends it.", dim=True, err=True)


def reply(said: str, conversation: Conversation, runner: asyncio.Runner, answers: Answers) -> None:
    """Answer one message, asking the person back as often as the graph does."""
    if said.startswith("/"):
        typer.echo(verify(conversation) if said == "/verify" else HELP)
        return
    values = runner.run(conversation.say(said))
    while asked := values.get("__interrupt__"):
        values = runner.run(conversation.decide(ask_person(asked[0].value, answers)))
    show_turn(Console(), values)
    sys.stdout.flush()


def verify(conversation: Conversation) -> str:
    """Keep the last answer as verified: the person says so by writing it."""
    from critiql.agent.memory.confirm import confirm
    from critiql.tools.database.engine import DEFAULT_LIMITS
    from critiql.tools.database.named import named_database
    from critiql.tools.exceptions import CritiqlError

    last = conversation.last
    if not last:
        return "There is no answer yet that could be kept."
    try:
        database = named_database(conversation.database)
        kept, _ = confirm(last["question"], last["sql"], database, getpass.getuser(), limits=DEFAULT_LIMITS)
    except CritiqlError as error:
        return escape(str(error))
    return f"Kept as {kept.name}: {escape(kept.pair.question)}"
