"""critiql settings: every setting of a run and of this machine, with its default and range."""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from critiql.agent.context import Context
from critiql.tools.settings import Settings

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
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/SETTINGS.md.")] = False,
) -> None:
    """Show every setting, its default and what it may be."""
    if markdown:
        typer.echo(page(), nl=False)
        return
    console = Console()
    for title, lines in sections():
        table = Table("setting", "default", "allowed", "meaning", title=title)
        for line in lines:
            table.add_row(*line)
        console.print(table)


def page() -> str:
    """The settings as a Markdown page."""
    parts = [f"# Settings\n\nWritten by `critiql settings --markdown`; a test compares.\n\n{ENV_NOTE}\n"]
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
    """Settings of a run, then those of the machine."""
    machine = [
        line._replace(name=f"CRITIQL_{line.name.upper()}") for line in _lines(Settings.model_json_schema())
    ]
    return [
        (
            "Of a run: fields of the context, `critiql ask --set name=value`",
            list(_lines(Context.model_json_schema())),
        ),
        (MACHINE, machine),
    ]


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
