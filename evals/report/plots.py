"""The plots of a report, as SVG text that stands in the page."""

import io
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from critiql.evals.fit.critic import Fit
from critiql.evals.report.rows import Row, by_group, readings
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import auc, calibration_error, reliability
from critiql.tools.schema.quoting import escape


def accuracy_against_cost(rows: Sequence[Row]) -> str:
    """Execution accuracy against tokens computed per question."""
    axes = _axes(7, 4.5)
    for row in rows:
        share = row.accuracy
        error = [[share.value - share.low], [share.high - share.value]]
        axes.errorbar(row.tokens, share.value, yerr=error, fmt="o", capsize=3, label=row.entry.label)
    axes.set(xlabel="tokens computed per question", ylabel="execution accuracy", xscale="symlog")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return _svg(axes)


def rounds(fit: Fit) -> str:
    """P_z as Theorem 1 predicts it and as it was measured, per number of rounds."""
    axes = _axes(5, 4)
    numbers = [row.round for row in fit.rounds]
    axes.plot(numbers, [row.predicted for row in fit.rounds], "--", label="predicted by Theorem 1")
    axes.plot(numbers, [row.measured for row in fit.rounds], "o-", label="measured")
    axes.plot(numbers, [row.p_waiting for row in fit.rounds], ":", label="p of those that reach the round")
    axes.set(xlabel="rounds z", ylabel="accuracy", xticks=numbers)
    axes.legend(fontsize=8)
    return _svg(axes)


def roc(fit: Fit) -> str:
    """The ROC of P(True) among draws that execute."""
    axes = _axes(4.5, 4)
    axes.plot([wrong for wrong, _ in fit.roc], [right for _, right in fit.roc], ".-")
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--")
    axes.set(xlabel="wrong queries accepted", ylabel="right queries accepted")
    axes.set_title(f"AUC {fit.auc.value:.3f} [{fit.auc.low:.3f}, {fit.auc.high:.3f}]", fontsize=9)
    return _svg(axes)


def q_s_curve(fit: Fit) -> str:
    """The critic's (q, s) over its thresholds, with the line above which a loop loses."""
    axes = _axes(4.5, 4)
    axes.plot([point.q for point in fit.curve], [point.s for point in fit.curve], ".-")
    axes.plot([0, 1], [1, 0], color="grey", linestyle="--", label="q + s = 1")
    axes.plot(fit.q.value, fit.s.value, "o", color="black", label=f"threshold {fit.threshold:.2f}, held out")
    axes.set(xlabel="q: accepts a wrong query", ylabel="s: rejects a right query")
    axes.legend(fontsize=8)
    return _svg(axes)


def critic_reliability(answers: Sequence[StoredAnswer]) -> str:
    """Share of right candidates per bin of P(True); empty text where nothing was judged."""
    said, right = readings(answers)
    if not said:
        return ""
    axes = _axes(4.5, 4)
    bins = reliability(said, right)
    shares = [b.measured for b in bins]
    errors = [[s.value - s.low for s in shares], [s.high - s.value for s in shares]]
    axes.errorbar([b.predicted for b in bins], [s.value for s in shares], yerr=errors, fmt="o-", capsize=3)
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--")
    area = auc(said, right)
    title = f"n = {len(said)}, AUC {area.value:.3f}, calibration error {calibration_error(said, right):.3f}"
    axes.set(xlabel="P(True)", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(title, fontsize=9)
    return _svg(axes)


def by_hardness(rows: Sequence[Row]) -> str:
    """Accuracy per difficulty and system."""
    found = [by_group(row.entry.answers, lambda answer: answer.difficulty) for row in rows]
    known = ("easy", "medium", "hard", "extra", "simple", "moderate", "challenging")
    levels = [level for level in known if any(level in groups for groups in found)]
    if not levels:
        return ""
    axes = _axes(7, 4)
    width = 0.8 / len(rows)
    for number, (row, groups) in enumerate(zip(rows, found, strict=True)):
        places = [place + number * width for place, level in enumerate(levels) if level in groups]
        shares = [groups[level] for level in levels if level in groups]
        errors = [[s.value - s.low for s in shares], [s.high - s.value for s in shares]]
        axes.bar(places, [s.value for s in shares], width, yerr=errors, label=row.entry.label, capsize=2)
    axes.set_xticks(
        [place + 0.4 - width / 2 for place in range(len(levels))], map(escape, levels), parse_math=False
    )
    axes.set(ylabel="execution accuracy", ylim=(0, 1))
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return _svg(axes)


def _axes(width: float, height: float) -> Axes:
    axes: Axes = Figure(figsize=(width, height)).subplots()
    return axes


def _svg(axes: Axes) -> str:
    """The figure as an SVG element whose text stays text; the same data give the same bytes."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "critiql"}):
        figure = axes.get_figure(root=True)
        assert figure is not None
        for name in legend.get_texts() if (legend := axes.get_legend()) else ():
            name.set_parse_math(False)
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
