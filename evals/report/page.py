"""The report of a store: one page that needs no network, and a Markdown table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from critiql.evals.data.item import Item
from critiql.evals.fit.critic import Fit, fit
from critiql.evals.fit.draws import draws_of
from critiql.evals.report import plots
from critiql.evals.report.rows import Entry, Row, by_group, rows_of
from critiql.evals.report.table import HEAD, cells, inline, markdown, percent, sections, source
from critiql.evals.run.store import Store, StoredAnswer
from critiql.tools.schema.quoting import escape, escape_lines

TEMPLATE = Path(__file__).with_name("report.html")
LEAST_ANSWERS = 20
"""Answers below which no calibration is shown."""


def write_report(store: Store, folder: Path, questions: Mapping[tuple[str, int], Item] | None = None) -> Path:
    """Write `index.html` and `table.md` into a folder.

    Args:
        store: what to report on; of runs that differ only in code or prompts, the newest counts.
        folder: where to; made if need be.
        questions: text of the questions by data set and index, where it may be shown; the page of a store
            that has none of it says so.

    Returns:
        The page.

    Raises:
        ValueError: the store has no answers.
    """
    rows = rows_of(newest(store))
    if not rows:
        raise ValueError("The store has no answers to report on.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(_markdown(rows, store), encoding="utf-8")
    page = folder / "index.html"
    page.write_text(_page(rows, questions or {}, store), encoding="utf-8")
    return page


def newest(store: Store) -> list[Entry]:
    """The runs that have answers; of those with equal system, data set, models and settings the newest."""
    latest: dict[str, Entry] = {}
    for run in store.runs():
        spec = run.spec
        what = json.dumps([spec.system, spec.dataset, spec.model, spec.critic, spec.settings], sort_keys=True)
        answers = list(store.answers(run))
        if answers:
            latest[what] = Entry(run, answers)
    return list(latest.values())


def _markdown(rows: Sequence[Row], store: Store) -> str:
    parts = [f"## {inline(name)}\n\n{markdown(group)}" for name, group in _by_dataset(rows).items()]
    return "\n".join([*parts, "## Every run in the store", "", *map(inline, _history(store)), ""])


def _history(store: Store) -> list[str]:
    """One line a run, so that no run on a test set goes unreported."""
    return [
        f"- {run.started} {run.spec.dataset} {run.spec.system} ({run.id}), {run.task}, commit {run.commit}, "
        f"{len(store.done(run))} answers"
        for run in store.runs()
    ]


def _page(rows: Sequence[Row], questions: Mapping[tuple[str, int], Item], store: Store) -> str:
    parts = [_part(name, group) for name, group in _by_dataset(rows).items()]
    # in a script element only "<" can end the data early
    data = json.dumps(_visible(_data(rows, questions)), default=str).replace("<", "\\u003c")
    history = [line.removeprefix("- ") for line in _history(store)]
    return _template().render(head=HEAD, parts=parts, history=history, data=data)


def _template() -> Template:
    """The page's template: every text is escaped, and its control characters are made visible."""
    loader = FileSystemLoader(TEMPLATE.parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_shown, keep_trailing_newline=True
    )
    return environment.get_template(TEMPLATE.name)


def _shown(value: object) -> object:
    """Text with visible control characters; what is markup already stays."""
    return escape(value) if type(value) is str else value


def _by_dataset(rows: Sequence[Row]) -> dict[str, list[Row]]:
    names = dict.fromkeys(row.entry.run.spec.dataset for row in rows)
    return {name: [row for row in rows if row.entry.run.spec.dataset == name] for name in names}


class Figure(NamedTuple):
    """A plot with what it shows; one without data has no picture and is left out."""

    caption: str
    svg: str


def _part(name: str, rows: list[Row]) -> dict[str, Any]:
    """What the page shows of one data set."""
    return {
        "dataset": name,
        "rows": [cells(row) for row in rows],
        "sections": sections(rows),
        "sources": [source(row) for row in rows],
        "figures": list(_figures(rows)),
        "databases": _databases(rows),
    }


def _figures(rows: Sequence[Row]) -> Iterator[Figure]:
    yield Figure("Accuracy against cost", plots.accuracy_against_cost(rows))
    yield Figure("By hardness", plots.by_hardness(rows))
    for row in rows:
        label = row.entry.label
        yield Figure(f"Reliability of the critic: {label}", plots.critic_reliability(row.entry.answers))
        found = _fit(row.entry)
        if found:
            yield Figure(f"P_z predicted against measured: {label}", plots.rounds(found))
            yield Figure(f"ROC of the critic: {label}", plots.roc(found))
            yield Figure(f"q and s: {label}", plots.q_s_curve(found))


def _fit(entry: Entry) -> Fit | None:
    """The calibration of a run that accepted nothing; None of another one, or of one too small."""
    settings = entry.run.spec.settings
    if settings.get("critic_threshold") != 1.0 or len(entry.answers) < LEAST_ANSWERS:
        return None
    z = int(settings.get("z", 5))
    try:
        return fit(draws_of(entry.answers, z), z)
    except ValueError:
        return None


def _databases(rows: Sequence[Row]) -> dict[str, Any]:
    """The table of accuracy by database."""
    groups = [by_group(row.entry.answers, lambda answer: answer.db_id) for row in rows]
    names = sorted({name for group in groups for name in group})
    body = [
        [name, *(f"{percent(g[name])} of {g[name].n}" if name in g else "" for g in groups)] for name in names
    ]
    return {"head": ["database", *(row.entry.label for row in rows)], "body": body}


def _data(rows: Sequence[Row], questions: Mapping[tuple[str, int], Item]) -> list[dict[str, Any]]:
    return [
        _answer(row.entry, answer, questions.get((row.entry.run.spec.dataset, answer.index)))
        for row in rows
        for answer in row.entry.answers
    ]


def _answer(entry: Entry, answer: StoredAnswer, item: Item | None) -> dict[str, Any]:
    return {
        "system": entry.label,
        "dataset": entry.run.spec.dataset,
        "index": answer.index,
        "db": answer.db_id,
        "difficulty": answer.difficulty or "",
        "correct": answer.correct,
        "status": answer.error or answer.status,
        "stopped": answer.stopped,
        "sql": answer.sql,
        "calls": answer.model_calls,
        "seconds": answer.model_seconds,
        "question": item.question if item else "",
        "gold": item.gold if item else "",
        "candidates": [_candidate(c) for c in answer.candidates],
        "decisions": [d.get("reason", "") for d in answer.decisions],
    }


def _visible(value: Any) -> Any:
    """The same with every text's control and direction characters as visible escapes."""
    if isinstance(value, dict):
        return {name: _visible(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_visible(part) for part in value]
    return escape_lines(value) if isinstance(value, str) else value


def _candidate(candidate: dict[str, Any]) -> dict[str, Any]:
    execution = candidate.get("execution") or {}
    ran = "ran" if execution.get("ok") else execution.get("message") or execution.get("kind") or "not run"
    return {
        "sql": candidate.get("sql", ""),
        "origin": candidate.get("origin", ""),
        "execution": f"{ran}, {execution['row_count']} rows" if execution.get("ok") else ran,
        "p_true": candidate.get("p_true"),
        "verdict": candidate.get("verdict", ""),
        "findings": ", ".join(str(f.get("type")) for f in candidate.get("findings") or []),
        "correct": candidate.get("correct"),
    }
