"""Draw the charts of the results from the exports: `make picture`.

Usage: python docs/scripts/charts.py FOLDER
"""

import gzip
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.figure import Figure

from critiql.evals.statistics import wilson

ROOT = Path(__file__).parents[2]
EXPORTS = ROOT / "evals/exports"
matplotlib.rcParams["svg.hashsalt"] = "critiql"
matplotlib.rcParams["svg.fonttype"] = "none"


class Line(NamedTuple):
    """One system on one sample."""

    label: str
    export: str
    run: str
    task: str = ""


LOOP = "dev/spider-dev_text_to_sql_dev-run-8"
FIRST = "dev/spider-dev-300_baselines_dev-run-3"
SECOND = "dev/spider-dev-300_baselines_dev-run-5"

SAMPLES = (
    Line("Spider-dev, the 1.5B", LOOP, "07ee81239ec7"),
    Line("Spider-train, the 1.5B", "train/spider-train-300_dev-run-8", "00bf78b42198"),
    Line("Spider-dev, the 0.5B", "dev/spider-dev-300_0.5b_dev-run-8", "f9e5504c2306"),
    Line("Spider-dev, CodeS-1B refined", "dev/spider-dev_codes_refine_dev-run-10", "6d2155c113b2"),
    Line("Spider-dev, CodeS-15B refined", "dev/spider-dev_codes_refine_dev-run-10", "5ad6ce519412"),
)
"""The loop before and after, on each sample."""

SYSTEMS = (
    Line("text_to_sql", LOOP, "07ee81239ec7", "spider-dev-300"),
    Line("self_consistency", SECOND, "aade5cd5d98e"),
    Line("cross_consistency", SECOND, "60b7e02bc28c"),
    Line("error_llm, rules and head", "dev/spider-dev-300_error_llm_dev-run-9", "4e3eec05b79f"),
    Line("ac_sql, execution critic alone", FIRST, "e16cbbc6f79c"),
    Line("self_debugging", FIRST, "3063a63c692e"),
    Line("mac_refiner", FIRST, "7efd95aed3be"),
    Line("self_correction", SECOND, "5517e204046b"),
    Line("ac_sql, both critics", FIRST, "9fffdf6b8952"),
    Line("ac_sql, the 0.5B as critic", SECOND, "ec26c14728ea"),
    Line("share, as published", "dev/spider-dev-300_share_dev-run-8", "42a525e9ebcd"),
)
"""Every loop on the same 300 questions."""


@cache
def answers(export: str) -> list[dict[str, Any]]:
    """Judged answers of an export."""
    lines = gzip.decompress((EXPORTS / f"{export}.jsonl.gz").read_bytes()).splitlines()
    kept = [json.loads(line) for line in lines if line.startswith(b'{"kind":"answer"')]
    return [answer for answer in kept if answer["correct"] is not None]


def verdicts(line: Line) -> tuple[list[bool], list[bool]]:
    """Per question whether the first query is right, and whether the answer is."""
    kept = json.loads((ROOT / f"evals/tasks/{line.task}.json").read_text())["indices"] if line.task else None
    chosen = [
        a for a in answers(line.export) if a["run"] == line.run and (kept is None or a["index"] in kept)
    ]
    first = [bool(a["candidates"] and a["candidates"][0].get("correct")) for a in chosen]
    return first, [a["correct"] for a in chosen]


def chart(lines: tuple[Line, ...], path: Path, *, shared: bool) -> None:
    """One line a system: the answer's share with its 95 % interval, and the first query's.

    Args:
        lines: from top to bottom.
        path: the SVG file.
        shared: the first query is the same for all, and is drawn as one vertical line.
    """
    figure = Figure(figsize=(7.5, 0.42 * len(lines) + 1.1), layout="constrained")
    axes = figure.add_subplot()
    for place, line in enumerate(reversed(lines)):
        before, after = verdicts(line)
        share = sum(after) / len(after)
        low, high = wilson(sum(after), len(after))
        axes.errorbar(
            100 * share,
            place,
            xerr=[[100 * (share - low)], [100 * (high - share)]],
            fmt="o",
            color="#1f5fa8",
            capsize=3,
        )
        first = 100 * sum(before) / len(before)
        if not shared:
            axes.plot(first, place, "D", color="#b0b0b0")
        elif place == 0:
            axes.axvline(first, color="#b0b0b0", linestyle="--")
        axes.annotate(
            f"{100 * share:.1f}", (100 * share, place), (0, 6), textcoords="offset points", ha="center"
        )
    labels = [f"{line.label} (n = {len(verdicts(line)[1]):,})" for line in reversed(lines)]
    axes.set_yticks(range(len(lines)), labels)
    axes.set_ylim(-0.6, len(lines) - 0.3)
    axes.set_xlabel("percent right, with 95 % intervals; grey: first query")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(row.rstrip() for row in text.splitlines()) + "\n", encoding="utf-8")


def main() -> None:
    """Draw both."""
    folder = Path(sys.argv[1])
    chart(SAMPLES, folder / "results-loop.svg", shared=False)
    chart(SYSTEMS, folder / "results-published.svg", shared=True)


if __name__ == "__main__":
    main()
