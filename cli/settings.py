"""critiql settings: every setting of a run and of this machine, with its default and range."""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from critiql.agent.context import Context
from critiql.agent.context_groups import SettingGroup
from critiql.agent.graph_contexts import CONTEXTS, context_of_graph
from critiql.cli.screen.failures import failures
from critiql.tools.settings import Settings

NOTE = """Written by `critiql settings --markdown`; a test compares.

Each graph shows and takes only the settings that it uses.
A name that it does not use is refused, with the near names.
`critiql settings --graph NAME` lists those of one graph.
The assistant, which chat clients talk to, ignores names that it does not know."""
ENV_NOTE = """A `.env` in the folder you work in is not read by itself.
Whoever wrote that folder could otherwise send your key to an endpoint of theirs, or move your caches.
Where the file is yours, say so: `export CRITIQL_ENV_FILE=.env`."""
MACHINE = "Of the machine: environment variables, or lines of the file that `CRITIQL_ENV_FILE` names"


class Line(NamedTuple):
    """One setting."""

    name: str
    default: str
    allowed: str
    meaning: str


def settings(
    graph: Annotated[str, typer.Option(help="Only what this graph takes.")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/SETTINGS.md.")] = False,
) -> None:
    """Show every setting, its default and what it may be."""
    if markdown:
        typer.echo(page(), nl=False)
        return
    with failures():
        shown = sections_of(graph) if graph else sections()
    console = Console()
    for title, lines in shown:
        table = Table("setting", "default", "allowed", "meaning", title=escape(title))
        for line in lines:
            table.add_row(*map(escape, line))
        console.print(table)


def page() -> str:
    """The settings as a Markdown page."""
    parts = [f"# Settings\n\n{NOTE}\n\n{ENV_NOTE}\n\n## Whose defaults differ\n\n{_other_defaults()}"]
    for title, lines in sections():
        rows = [f"| `{line.name}` | {line.default} | {line.allowed} | {line.meaning} |" for line in lines]
        parts.append(
            "\n".join(
                [
                    f"\n## {title}\n",
                    "| setting | default | allowed | meaning |",
                    "|---|---|---|---|",
                    *rows,
                    "",
                ]
            )
        )
    return "".join(parts)


def sections() -> list[tuple[str, list[Line]]]:
    """Settings of a run, group by group, then those of the machine."""
    every = {line.name: line for line in _lines(Context.model_json_schema())}
    groups = [group for group in Context.__mro__ if group in SettingGroup.__subclasses__()]
    parts: dict[str, list[Line]] = {}
    for group in groups:
        parts.setdefault(_title(group), []).extend(every[name] for name in group.model_fields)
    return [*parts.items(), (MACHINE, _machine())]


def sections_of(graph: str) -> list[tuple[str, list[Line]]]:
    """Settings of a run of one graph.

    Raises:
        UnknownGraphError: there is no such graph.
    """
    schema = context_of_graph(graph).model_json_schema()
    return [(f"Of {graph}: `critiql ask --graph {graph} --set name=value`", list(_lines(schema)))]


def _title(group: type[SettingGroup]) -> str:
    """Which graphs take the settings of a group."""
    graphs = [name for name, kind in CONTEXTS.items() if group in kind.groups]
    if len(graphs) == len(CONTEXTS):
        return "Of every graph: `critiql ask --set name=value`"
    if len(graphs) == len(CONTEXTS) - 1:
        return f"Of every graph but {next(name for name in CONTEXTS if name not in graphs)}"
    return f"Of {', '.join(graphs) or 'assistant'}"


def _other_defaults() -> str:
    """The settings whose default is another one in some graph."""
    usual = Context.model_fields
    return "".join(
        f"- `{graph}`: `{name}` is {kind.model_fields[name].default}.\n"
        for graph, kind in CONTEXTS.items()
        for name in kind.taken()
        if kind.model_fields[name].default != usual[name].default
    )


def _machine() -> list[Line]:
    """Settings of the machine, as environment variables."""
    lines = _lines(Settings.model_json_schema())
    return [line._replace(name=f"CRITIQL_{line.name.upper()}") for line in lines]


def _lines(schema: dict[str, Any]) -> Iterator[Line]:
    """The fields of a model's JSON schema."""
    for name, field in schema["properties"].items():
        meaning = " ".join(field.get("description", "").split())
        yield Line(name, _default(field), _allowed(field), meaning)


def _default(field: dict[str, Any]) -> str:
    """The default, in words where it depends on the machine."""
    value = field.get("default", "depends on the machine")
    return "none" if value in (None, "", []) else str(value).strip("[]")


def _allowed(field: dict[str, Any]) -> str:
    """Range, choices or type."""
    for option in (field, *field.get("anyOf", [])):
        if "enum" in option:
            return ", ".join(option["enum"])
        low = option.get("minimum", option.get("exclusiveMinimum"))
        high = option.get("maximum", option.get("exclusiveMaximum"))
        if low is not None or high is not None:
            above = "above " if "exclusiveMinimum" in option else "from "
            return f"{above}{low:g}" + (f" to {high:g}" if high is not None else "")
    kinds = [option.get("type", "") for option in (field, *field.get("anyOf", []))]
    return next((kind for kind in kinds if kind and kind != "null"), "")
