"""The `critiql` command: each sub-command's module is imported only when it is called."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from critiql.cli.screen.streams import run_with_streams

COMMANDS = {
    "ask": ("critiql.cli.ask:ask", "Answer a question about a database."),
    "run": ("critiql.cli.run:run", "Run one SQL statement, read-only."),
    "check": ("critiql.cli.check:check", "Name what is wrong with a SQL query, by type."),
    "refine": ("critiql.cli.refine:refine", "Mend a given SQL query where something stands against it."),
    "explain": ("critiql.cli.explain:explain", "Show a SQL query as a sequence of steps, with row counts."),
    "chat": ("critiql.cli.chat:chat", "Ask one question after the other, and lean on the ones before."),
    "memory": ("critiql.cli.memory:app", "Questions with queries that you verified, shown as examples."),
    "doctor": ("critiql.cli.doctor:doctor", "What is installed, what this machine can do, what to mend."),
    "models": ("critiql.cli.models:app", "List, pull, verify and remove local models."),
    "eval": ("critiql.cli.evals.app:app", "Run, score, compare and report evaluations."),
    "calibrate": ("critiql.cli.calibrate:calibrate", "Measure a critic and fit what it may decide."),
    "train": ("critiql.cli.train:app", "Build training data and fit the detector's head."),
    "serve": (
        "critiql.cli.serve:serve",
        "Serve databases to a page, chat front-ends and agents.",
    ),
    "mcp": ("critiql.cli.mcp:mcp", "Serve databases to agents by the Model Context Protocol."),
    "settings": ("critiql.cli.settings:settings", "Every setting, its default and what it may be."),
    "events": ("critiql.cli.events:events", "The events of the trace, and their JSON schema."),
    "theory": (
        "critiql.cli.theory:theory",
        "What an actor and critics of known error rates reach in z rounds.",
    ),
}
"""Name -> where it is (module:function or module:app), and its line in the help."""


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the interface of a group
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the interface of a group
        """The command as the overview shows it: its line of help."""
        return described(cmd_name, COMMANDS[cmd_name][1]) if cmd_name in COMMANDS else None

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what a user can mend ends any of them in a sentence and the error's own code."""
        from critiql.tools.exceptions import CritiqlError
        from critiql.tools.settings import unread_env_file

        if said := unread_env_file():
            typer.secho(said, err=True)
        try:
            return super().invoke(ctx)
        except CritiqlError as error:
            typer.secho(str(error), fg="red", err=True)
            raise typer.Exit(error.exit_code) from error

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, imported only now."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, command(str(name), COMMANDS[str(name)][0]), rest


def described(name: str, line: str) -> Any:
    """A command that has nothing but its line of help."""

    def nothing() -> None: ...

    return command_of(name, nothing, line)


def command(name: str, target: str) -> Any:
    """Import `module:function` or `module:app` as a command of that name."""
    module, attribute = target.split(":")
    found: Any = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        return command_of(name, found)
    made = typer.main.get_command(found)
    made.name = name
    return made


def command_of(name: str, function: Any, line: str | None = None) -> Any:
    """A function as a command."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name, help=line)(function)
    return typer.main.get_command(app)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ask a database a question in plain language; get SQL that was run, criticised and repaired.",
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"critiql {version('critiql')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """Ask a database a question in plain language; get SQL that was run, criticised and repaired."""


def main() -> None:
    """Entry point of the `critiql` script."""
    run_with_streams(app)
