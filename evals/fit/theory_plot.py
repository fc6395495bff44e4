"""Plots of Theorem 1: P_z against z; the gain over the q-s plane, with its boundary (AC-SQL, fig. 2-4)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from critiql.evals.fit.theory import TABLE_6, Rates, accuracy


def draw(
    rates: Rates,
    z: int,
    path: Path,
    dependence: float = 0.0,
    points: Sequence[tuple[float, float]] = (),
) -> None:
    """Write both plots into one picture; the file's ending chooses the format.

    Args:
        rates: whose curve stands out, and whose p the plane is drawn for.
        z: generations.
        path: of the picture.
        dependence: of redraws.
        points: q and s of critics that were measured, drawn on the plane.

    Raises:
        ImportError: matplotlib is not installed (it comes with the extra `evals`).
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.5))
    rounds = range(1, max(z, 2) + 1)
    for example in (rates, *TABLE_6):
        style = {"linewidth": 3} if example is rates else {"linestyle": "--", "alpha": 0.6}
        label = f"p={example.p:g} q={example.q:g} s={example.s:g}"
        left.plot(rounds, [accuracy(example, n, dependence) for n in rounds], label=label, **style)
    left.set(xlabel="z", ylabel="P_z", title="Accuracy against generations", ylim=(0, 1))
    left.legend(fontsize=7)
    grid = np.linspace(0, 1, 101)
    gain = np.array([[accuracy(Rates(rates.p, q, s), z, dependence) - rates.p for q in grid] for s in grid])
    filled = right.contourf(
        grid, grid, gain, levels=20, cmap="RdBu", vmin=-abs(gain).max(), vmax=abs(gain).max()
    )
    right.plot([0, 1], [1, 0], color="black", label="q + s = 1")
    right.plot(rates.q, rates.s, "o", color="black")
    if points:
        right.plot(*zip(*points, strict=True), "x", color="black", label="measured")
    right.set(xlabel="q", ylabel="s", title=f"P_{z} - p at p = {rates.p:g}")
    right.legend(fontsize=8)
    figure.colorbar(filled)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
