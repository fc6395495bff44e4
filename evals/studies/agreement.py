"""Hold the compat verdicts against those of the official script, which lies beside the project.

Run: `python -m critiql.evals.studies.agreement OFFICIAL --out FILE [--predictions FILE]...
[--python PYTHON]`, where OFFICIAL is a checkout of taoyds/test-suite-sql-eval and PYTHON
an interpreter with sqlparse and tqdm.
"""

import csv
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from threading import Timer
from typing import Annotated, NamedTuple

import typer

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.metrics.execution_accuracy import Rules, Verdict, judge
from critiql.evals.metrics.test_suite import suite
from critiql.evals.studies.query_mutations import kinds, mutated

MODES = {
    "EX": Rules(compat=True),
    "EX keep_distinct": Rules(compat=True, keep_distinct=True),
    "EX plug_value": Rules(compat=True, plug_value=True),
    "TS": Rules(compat=True),
}
"""What is compared; TS is EX on all variants of a database."""

PATIENCE = 30
"""Seconds after which an official verdict is given up; its own limit does not work."""

WORKER = """
import json, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import exec_eval, parse
answers = sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    gold, prediction, database, plug, keep = json.loads(line)
    prediction = prediction.replace("value", "1")
    try:
        if plug and parse.get_all_preds_for_execution(gold, prediction)[0] > 300:
            verdict = "too many"
        else:
            verdict = str(exec_eval.eval_exec_match(database, prediction, gold, plug, keep, False))
    except AssertionError:
        verdict = "gold_error"
    except IndexError:
        verdict = "crash"
    print(verdict, file=answers, flush=True)
"""
"""Asks the official script, a JSON line for a pair."""


class Pair(NamedTuple):
    """A prediction for an item."""

    kind: str
    item: Item
    prediction: str


def pairs(items: Sequence[Item], predictions: Sequence[Path], per_kind: int, seed: int = 0) -> Iterator[Pair]:
    """Every gold query with itself, `per_kind` mutations of each kind, and files of predictions."""
    draw = Random(seed)
    yield from (Pair("gold with itself", item, item.gold) for item in items)
    for kind in kinds():
        order = draw.sample(items, len(items))
        changed = ((item, mutated(item.gold, kind, draw)) for item in order)
        applied = [Pair(kind, item, sql) for item, sql in changed if sql is not None]
        yield from applied[:per_kind]
    for file in predictions:
        lines = file.read_text("utf-8").split("\n")
        for item, line in zip(items, lines, strict=False):
            yield Pair("predictions of a model", item, line.strip().split("\t")[0])


class Official:
    """The official script in a process of its own, on copies of databases that are renewed when changed."""

    def __init__(self, folder: Path, python: str, databases: Path) -> None:
        self._command = [python, "-c", WORKER, str(folder)]
        self._clean = databases
        self._work = Path(tempfile.mkdtemp(prefix="official-"))
        self._process = self._start()

    def verdict(self, pair: Pair, rules: Rules) -> str:
        """`1`, `0`, `gold_error`, `crash`, `too many` or `unfinished`."""
        folder = self._fresh(pair.item.db_id)
        before = _state(folder)
        question = [
            pair.item.gold,
            pair.prediction,
            f"{folder}/{pair.item.db_id}.sqlite",
            rules.plug_value,
            rules.keep_distinct,
        ]
        answer = self._ask(json.dumps(question))
        if _state(folder) != before:
            shutil.rmtree(folder)
        return answer

    def close(self) -> None:
        """End the process and drop the copies."""
        self._end()
        shutil.rmtree(self._work)

    def _start(self) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def _ask(self, question: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        timer = Timer(PATIENCE, self._process.kill)
        timer.start()
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        timer.cancel()
        if not answer:
            self._end()
            self._process = self._start()
        return answer or "unfinished"

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _fresh(self, db_id: str) -> Path:
        folder = self._work / db_id
        if not folder.exists():
            folder.mkdir()
            for file in suite(self._clean / db_id):
                shutil.copy(file, folder)
        return folder


def _state(folder: Path) -> list[tuple[str, int, int]]:
    files = ((file.name, file.stat()) for file in folder.iterdir())
    return sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)


def agrees(official: str, verdict: Verdict) -> bool:
    """Whether both say the same. The official script crashes on an empty text, which ours calls wrong."""
    if official in {"0", "1"}:
        return verdict.reason != "gold_error" and verdict.correct == (official == "1")
    return verdict.reason == "gold_error" if official == "gold_error" else not verdict.correct


def compare(
    found: Sequence[Pair], official: Official, databases: Path, mode: str
) -> Counter[tuple[str, str, str, bool]]:
    """Count (mode, kind, official verdict, agreement); what is not finished officially is not compared."""
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    for pair in found:
        said = official.verdict(pair, MODES[mode])
        same = True
        if said not in {"unfinished", "too many"}:
            files = suite(databases / pair.item.db_id)
            same = agrees(said, judge(pair.item.gold, pair.prediction, files, MODES[mode]))
        counts[mode, pair.kind, said, same] += 1
    return counts


def main(
    official: Annotated[Path, typer.Argument(help="Checkout of taoyds/test-suite-sql-eval.")],
    out: Annotated[Path, typer.Option(help="CSV of counts.")],
    predictions: Annotated[
        list[Path] | None, typer.Option(help="Predictions for Spider-dev, repeatable.")
    ] = None,
    python: Annotated[str, typer.Option(help="Interpreter with sqlparse and tqdm.")] = "python3",
    per_kind: Annotated[int, typer.Option(help="Mutations of a kind.")] = 60,
    suite_share: Annotated[int, typer.Option(help="Every n-th pair is also judged on all variants.")] = 4,
    seed: Annotated[int, typer.Option(help="Names the draw.")] = 0,
) -> None:
    """Compare verdict by verdict and write the counts."""
    items = load("spider-dev").items
    spider = items[0].database.parents[2]
    found = list(pairs(items, predictions or [], per_kind, seed))
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    for mode in MODES:
        databases = spider / ("test_suite_database" if mode == "TS" else "database")
        chosen = found[::suite_share] if mode in {"TS", "EX plug_value"} else found
        runner = Official(official, python, databases)
        counts += compare(chosen, runner, databases, mode)
        runner.close()
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["mode", "kind", "official", "agrees", "pairs"])
        writer.writerows([*key, n] for key, n in sorted(counts.items()))


if __name__ == "__main__":
    typer.run(main)
