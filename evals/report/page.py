"""The report of a store: one page that needs no network, and a Markdown table."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from critiql.evals.data.item import Item
from critiql.evals.fit.critic import Fit, fit
from critiql.evals.fit.draws import draws_of
from critiql.evals.report import plots
from critiql.evals.report.rows import Entry, Row, by_group, rows_of
from critiql.evals.report.table import HEAD, Section, cells, inline, markdown, percent, sections, source
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
    sections = [_section(name, group) for name, group in _by_dataset(rows).items()]
    history = "".join(f"<li>{shown(line.removeprefix('- '))}</li>" for line in _history(store))
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        sections="\n".join(sections),
        history=f"<ul>{history}</ul>",
        # in a script element only "<" can end the data early
        data=json.dumps(_visible(_data(rows, questions)), default=str).replace("<", "\\u003c"),
    )


def _by_dataset(rows: Sequence[Row]) -> dict[str, list[Row]]:
    names = dict.fromkeys(row.entry.run.spec.dataset for row in rows)
    return {name: [row for row in rows if row.entry.run.spec.dataset == name] for name in names}


def _section(name: str, rows: list[Row]) -> str:
    parts = [
        f"<h2>{shown(name)}</h2>",
        _table(HEAD, [cells(row) for row in rows]),
        *map(_detail, sections(rows)),
        "<details><summary>Where each row comes from</summary><ul>",
        *(f"<li>{shown(source(row))}</li>" for row in rows),
        "</ul></details>",
        _figure("Accuracy against cost", plots.accuracy_against_cost(rows)),
        _figure("By hardness", plots.by_hardness(rows)),
        *_critics(rows),
        _databases(rows),
    ]
    return "\n".join(parts)


def _detail(section: Section) -> str:
    table = _table(section.head, section.body)
    return f"<details><summary>{shown(section.title)}</summary>\n{table}\n</details>"


def _critics(rows: Sequence[Row]) -> Iterable[str]:
    for row in rows:
        label = shown(row.entry.label)
        yield _figure(f"Reliability of the critic: {label}", plots.critic_reliability(row.entry.answers))
        found = _fit(row.entry)
        if found:
            yield _figure(f"P_z predicted against measured: {label}", plots.rounds(found))
            yield _figure(f"ROC of the critic: {label}", plots.roc(found))
            yield _figure(f"q and s: {label}", plots.q_s_curve(found))


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


def _databases(rows: Sequence[Row]) -> str:
    groups = [by_group(row.entry.answers, lambda answer: answer.db_id) for row in rows]
    names = sorted({name for group in groups for name in group})
    body = [
        [name, *(f"{percent(g[name])} of {g[name].n}" if name in g else "" for g in groups)] for name in names
    ]
    table = _table(["database", *(row.entry.label for row in rows)], body)
    return f"<details><summary>By database</summary>{table}</details>"


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{shown(cell)}</th>" for cell in head)
    lines = ("".join(f"<td>{shown(cell)}</td>" for cell in line) for line in body)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _figure(caption: str, svg: str) -> str:
    return f"<figure><figcaption>{caption}</figcaption>{svg}</figure>" if svg else ""


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


def shown(text: str) -> str:
    """Text as HTML shows it, control characters as visible escapes."""
    return html.escape(escape(text))


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
