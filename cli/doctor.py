"""critiql doctor: what is installed, what this machine can do, and which command mends what is missing."""

import os
import platform
import shutil
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from critiql.cli.completion import complete_model
from critiql.cli.screen import exit_codes
from critiql.cli.screen.json_text import json_text
from critiql.tools.schema.quoting import escape


@dataclass
class Report:
    """What was found."""

    critiql: str
    python: str
    system: str
    parts: dict[str, list[str]]
    """Optional parts, and what each lacks."""
    models_folder: str
    models: dict[str, int]
    """Models that are here, and their bytes."""
    threads: int
    memory_free_bytes: int | None
    disk_free_bytes: int | None
    verified_pairs: int = 0
    speed: dict[str, Any] | None = None
    """Of one model; None: it was not tested."""
    fits: list[dict[str, Any]] = field(default_factory=list)
    best: str | None = None
    """The largest model that fits this machine."""
    problems: list[dict[str, str]] = field(default_factory=list)
    """What is needed and missing: `what`, and the command or change that mends it."""
    hints: list[dict[str, str]] = field(default_factory=list)
    """What would do good, in the same form."""

    def needs(self, what: str, mend: str) -> None:
        """Note a problem."""
        self.problems.append({"what": what, "mend": mend})


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    no_speed: Annotated[bool, typer.Option("--no-speed", help="Load no model and test no speed.")] = False,
    model: Annotated[
        str,
        typer.Option(
            help="Model whose speed is tested.",
            show_default="the default, or the largest here",
            autocompletion=complete_model,
        ),
    ] = "",
) -> None:
    """Look at the installation and the machine.

    Exit codes: 0 all that is needed is here, 1 something is missing; the report says what mends it.
    """
    report = looked_at()
    _look_at_models(report, model, test=not no_speed)
    _look_at_folders(report)
    _try_sandbox(report)
    if as_json:
        typer.echo(json_text(asdict(report)))
    else:
        show(report)
    raise typer.Exit(exit_codes.FAILED if report.problems else exit_codes.OK)


def looked_at() -> Report:
    """The installation and the machine."""
    from critiql.tools.installation import missing_needs, parts
    from critiql.tools.models import advice
    from critiql.tools.models.local.machine import free_memory, physical_cores
    from critiql.tools.settings import settings

    report = Report(
        critiql=version("critiql"),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        parts={part.name: list(part.missing) for part in parts()},
        models_folder=str(settings().models),
        models={record.name: record.size for record in advice.here()},
        threads=settings().threads or physical_cores(),
        memory_free_bytes=free_memory(),
        disk_free_bytes=_disk(settings().models),
    )
    if missing := missing_needs():
        report.needs(f"Not installed, or too old: {', '.join(missing)}", "pip install --upgrade critiql")
    return report


def _look_at_models(report: Report, name: str, *, test: bool) -> None:
    """Test one model, and say which one fits."""
    from critiql.tools.models import advice
    from critiql.tools.models.files.registry import registry
    from critiql.tools.models.model import ModelError
    from critiql.tools.settings import settings

    default = registry().default
    chosen = name or (default if default in report.models else next(iter(report.models), ""))
    speed = None
    if not report.models and not settings().openai_base_url:
        report.needs("No model is here, and no endpoint is set", f"critiql models pull {default}")
    elif test and chosen:
        try:
            speed = advice.measure(chosen)
        except ModelError as error:
            report.needs(f"{chosen} cannot be used: {error}", f"critiql models pull {chosen}")
    found = advice.fits(report.memory_free_bytes, speed)
    best = advice.best(found)
    report.speed = speed._asdict() if speed else None
    report.fits = [{**one._asdict(), "fits": one.fits} for one in found]
    report.best = best.model if best else None
    if best and not best.here:
        report.hints.append(
            {"what": f"{best.model} fits this machine", "mend": f"critiql models pull {best.model}"}
        )


def _look_at_folders(report: Report) -> None:
    """See that what is kept can be kept, and what was verified read."""
    from critiql.agent.memory.verified import VerifiedError, read_memory
    from critiql.tools.settings import settings

    for name in ("cache", "models"):
        folder = getattr(settings(), name)
        if not os.access(_existing(folder), os.W_OK):
            report.needs(f"{folder} cannot be written", f"export CRITIQL_{name.upper()}=FOLDER")
    try:
        memory = read_memory()
    except VerifiedError as error:
        report.needs(str(error), "export CRITIQL_MEMORY=FOLDER")
        return
    report.verified_pairs = len(memory.kept)
    report.hints += [{"what": said, "mend": "critiql memory list"} for said in memory.damaged]


def _try_sandbox(report: Report) -> None:
    """Ask the sample database one query: the sandbox starts, and its rows come back."""
    from critiql.tools.database.named import named_database
    from critiql.tools.database.result import Failure
    from critiql.tools.exceptions import CritiqlError

    try:
        ran = named_database().run("SELECT 1")
        said = ran.message if isinstance(ran, Failure) else ""
    except (CritiqlError, OSError) as error:
        said = str(error)
    if said:
        report.needs(f"The sandbox does not work: {said}", "pip install --force-reinstall critiql")


def _disk(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_existing(folder)).free
    except OSError:
        return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


def show(report: Report) -> None:
    """Draw the report."""
    console = Console()
    for name, said in lines(report):
        console.print(f"{name:>15}  {escape(said)}", markup=False, highlight=False, soft_wrap=True)
    for style, found in (("red", report.problems), ("yellow", report.hints)):
        for one in found:
            console.print(
                f"\n{escape(one['what'].rstrip('.'))}.",
                markup=False,
                highlight=False,
                style=style,
                soft_wrap=True,
            )
            console.print(f"  {one['mend']}", markup=False, highlight=False, soft_wrap=True)
    if not report.problems:
        console.print("\nAll that is needed is here.", style="green")


def lines(report: Report) -> list[tuple[str, str]]:
    """The report, a name and a sentence a line."""
    installed = [name for name, missing in report.parts.items() if not missing]
    absent = [name for name, missing in report.parts.items() if missing]
    models = ", ".join(f"{name} ({_gigabytes(size)})" for name, size in report.models.items())
    found = [
        ("critiql", f"{report.critiql}, Python {report.python}, {report.system}"),
        ("parts here", ", ".join(installed) or "none"),
        ("parts not here", ", ".join(f"critiql[{name}]" for name in absent) or "none"),
        ("models", f"{models or 'none'} in {report.models_folder}"),
        ("threads", str(report.threads)),
        ("free memory", _gigabytes(report.memory_free_bytes)),
        ("free disk", _gigabytes(report.disk_free_bytes)),
        ("verified pairs", str(report.verified_pairs)),
    ]
    if speed := report.speed:
        rates = f"reads {speed['reading']:.0f} and writes {speed['writing']:.1f} tokens a second"
        found.append(("speed", f"{speed['model']}: {rates}, loaded in {speed['load_seconds']:.1f} s"))
    found += [("fits" if one["fits"] else "does not fit", _fit_line(one)) for one in report.fits]
    return [
        *found,
        ("best here", report.best or "none of them; a hosted model will do: --model openai:NAME@URL"),
    ]


def _fit_line(one: dict[str, Any]) -> str:
    reasons = [f"{_gigabytes(one['size'])}, {'here' if one['here'] else 'not here'}"]
    if one["enough_memory"] is False:
        reasons.append("more than the free memory")
    if one["seconds"] is not None:
        reasons.append(f"a first answer in about {one['seconds']:.0f} s")
    return f"{one['model']} ({'; '.join(reasons)})"


def _gigabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e9:.1f} GB"
