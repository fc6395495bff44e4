"""The table of a report, as Markdown and as cells for the page."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import NamedTuple

from critiql.evals.metrics.bird_summary import bird_rows
from critiql.evals.metrics.cost import Spent
from critiql.evals.report.assistance import assistance
from critiql.evals.report.bird import bird_scored
from critiql.evals.report.loop_rates import loop_rates
from critiql.evals.report.proposals import proposals
from critiql.evals.report.rows import Row
from critiql.evals.statistics import Estimate, brier, reliability
from critiql.tools.schema.quoting import escape

HEAD = (
    "system",
    "n",
    "EX",
    "TS",
    "any right",
    "calls",
    "tokens in",
    "of these cached",
    "tokens out",
    "median s",
    "p95 s",
    "fixed",
    "broken",
    "EX - single shot",
    "McNemar p",
    "Holm p",
)
"""Columns. Calls, tokens and seconds are per question; seconds are of the model calls when first made."""


def cells(row: Row) -> list[str]:
    """One run as text, in the order of `HEAD`."""
    total = row.cost.total
    return [
        row.entry.label,
        str(row.accuracy.n),
        percent(row.accuracy),
        percent(row.suite) if row.suite else "not run",
        percent(row.any_right),
        f"{total.calls.value:.2f}",
        f"{total.tokens_in.value:.0f}",
        f"{total.tokens_cached.value:.0f}",
        f"{total.tokens_out.value:.0f}",
        f"{row.median_seconds:.1f}",
        f"{row.p95_seconds:.1f}",
        *_against(row),
    ]


def markdown(rows: Sequence[Row]) -> str:
    """The table, what stands beside it, and where each row comes from."""
    parts = [table(HEAD, [cells(row) for row in rows]), ""]
    for title, head, body in sections(rows):
        parts += [f"{title}:", "", table(head, body), ""]
    return "\n".join([*parts, *(f"- {inline(source(row))}" for row in rows), ""])


class Section(NamedTuple):
    """A table beside the main one."""

    title: str
    head: Sequence[str]
    body: list[list[str]]


def sections(rows: Sequence[Row]) -> list[Section]:
    """BIRD's scores, loops against theory, what was proposed, how far confidences hold, what it costs."""
    made = (
        Section("BIRD's scores by difficulty", BIRD_HEAD, bird_cells(rows)),
        Section("Theorem 1 and what was measured", LOOP_HEAD, loop_cells(rows)),
        Section("What was proposed after the first query", PROPOSED_HEAD, proposed_cells(rows)),
        Section("What the action assistant proposed", ASSISTED_HEAD, assisted_cells(rows)),
        Section("Confidence, and the share that is right at it", CONFIDENCE_HEAD, confidence_cells(rows)),
        Section("What 1,000 questions cost", COST_HEAD, cost_cells(rows)),
    )
    return [section for section in made if section.body]


BIRD_HEAD = ("system", "difficulty", "n", "EX", "R-VES", "Soft-F1")
"""Columns of BIRD's scores, in percent; R-VES may reach 111.8."""


def bird_cells(rows: Sequence[Row]) -> list[list[str]]:
    """Runs on data sets that are scored as BIRD is, in the order of `BIRD_HEAD`."""
    return [
        [
            row.entry.label,
            found.group,
            str(found.execution.n),
            percent(found.execution),
            percent(found.reward) if found.reward else "not run",
            percent(found.soft_f1),
        ]
        for row in rows
        for found in bird_rows(bird_scored(row.entry.answers))
    ]


LOOP_HEAD = ("system", "p", "q", "s", "q + s", "P_z predicted", "P_z measured")
"""Columns of Theorem 1; P_1 to P_z, in percent."""


def loop_cells(rows: Sequence[Row]) -> list[list[str]]:
    """Rates and accuracies of the runs whose loop is the theorem's, in the order of `LOOP_HEAD`."""
    found = [(row, rates) for row in rows if (rates := loop_rates(row.entry)) is not None]
    return [
        [
            row.entry.label,
            *(f"{rate.value:.3f}" for rate in (rates.p, rates.q, rates.s)),
            f"{rates.q.value + rates.s.value:.3f}",
            ", ".join(f"{100 * value:.1f}" for value in rates.predicted),
            ", ".join(f"{100 * measured.value:.1f}" for measured in rates.measured),
        ]
        for row, rates in found
    ]


PROPOSED_HEAD = ("system", "by", "proposed", "ran", "right", "are the answer")
"""Columns of what a loop proposed; repetitions of an earlier query count as proposed."""


def proposed_cells(rows: Sequence[Row]) -> list[list[str]]:
    """What each run proposed, per origin, in the order of `PROPOSED_HEAD`."""
    return [
        [row.entry.label, origin, *map(str, astuple(count))]
        for row in rows
        for origin, count in proposals(row.entry.answers).items()
    ]


ASSISTED_HEAD = (
    "system",
    "part",
    "proposed",
    "valid",
    "changed",
    "then right",
    "accepted",
    "fixed",
    "broken",
)
"""Columns of SHARE's parts, as `Assistance` has them."""


def assisted_cells(rows: Sequence[Row]) -> list[list[str]]:
    """What SAM, LOM and regeneration did in each run, in the order of `ASSISTED_HEAD`."""
    return [
        [row.entry.label, part, *map(str, astuple(count))]
        for row in rows
        for part, count in assistance(row.entry.answers).items()
    ]


CONFIDENCE_HEAD = ("system", "n", "Brier", "Brier of the run's own share", "share right (n) by confidence")
"""Columns of how far confidences hold."""


def confidence_cells(rows: Sequence[Row]) -> list[list[str]]:
    """Runs whose answers have a confidence, in the order of `CONFIDENCE_HEAD`."""
    found = []
    for row in rows:
        known = [a for a in row.entry.answers if a.confidence is not None and a.correct is not None]
        if not known:
            continue
        sure, right = [a.confidence or 0.0 for a in known], [bool(a.correct) for a in known]
        share = sum(right) / len(right)
        bins = "; ".join(
            f"{part.predicted:.2f}: {100 * part.measured.value:.1f} % ({part.measured.n})"
            for part in reliability(sure, right)
        )
        scores = (f"{brier(sure, right):.3f}", f"{share * (1 - share):.3f}")
        found.append([row.entry.label, str(len(known)), *scores, bins])
    return found


COST_HEAD = ("system", "role", "calls", "tokens in", "of these cached", "tokens out", "seconds")
"""Columns of what 1,000 questions cost."""


def cost_cells(rows: Sequence[Row]) -> list[list[str]]:
    """What 1,000 questions cost, per run and role, in the order of `COST_HEAD`."""
    return [
        [row.entry.label, role, *_spent(found.per_thousand())]
        for row in rows
        for role, found in (*row.cost.roles.items(), ("all", row.cost.total))
    ]


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(map(inline, line)) + " |" for line in (head, *body)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def inline(text: str) -> str:
    """Text within a line of Markdown: no further line, cell, element or link begins in it."""
    return escape(text).replace("|", "\\|").replace("<", "&lt;").replace("](", "]\\(")


def _spent(spent: Spent) -> list[str]:
    counts = (spent.calls, spent.tokens_in, spent.tokens_cached, spent.tokens_out, round(spent.seconds))
    return [f"{count:,}" for count in counts]


def source(row: Row) -> str:
    """Task, run, commit, models, prompts and machine of a row."""
    run = row.entry.run
    prompts = ", ".join(f"{name} {digest}" for name, digest in run.spec.prompts.items())
    text = (
        f"`{row.entry.label}`: {run.task}; run {run.id} of {run.started}; commit {run.commit}, code "
        f"{run.spec.code}; model {run.spec.model}, critic {run.spec.critic}; prompts {prompts}; {run.machine}"
    )
    notes = [
        f"{row.repeated.value:.1%} of {row.repeated.n} retries repeat an earlier query",
        f"{row.cost.cache_hits.value:.1%} of the calls replayed",
    ]
    if not row.repeated.n:
        del notes[0]
    if row.failed:
        notes.append(f"the agent failed on {row.failed}")
    if row.unjudged:
        notes.append(f"{row.unjudged} not judged, their gold query does not run")
    return f"{text}; {', '.join(notes)}"


def percent(estimate: Estimate) -> str:
    """Share with its standard error, in percent."""
    if not estimate.n:
        return "none"
    return f"{100 * estimate.value:.1f} ± {100 * estimate.standard_error:.1f}"


def _against(row: Row) -> list[str]:
    if row.against is None:
        return [""] * 5
    paired = row.against.paired
    ends = f"[{100 * paired.difference.low:+.1f}, {100 * paired.difference.high:+.1f}]"
    difference = f"{100 * paired.difference.value:+.1f} {ends}"
    corrected = "" if row.holm is None else f"{row.holm:.3g}"
    return [str(paired.fixed), str(paired.broken), difference, f"{paired.p_value:.3g}", corrected]
