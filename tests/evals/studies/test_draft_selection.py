"""The selector on two drafts: which pairs are asked about, and what counts."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from critiql.evals.data.datasets import load
from critiql.evals.studies.decide_replay import EXPORTS
from critiql.evals.studies.draft_agreement import Draft
from critiql.evals.studies.draft_selection import Choice, choose, pairs_of, summary
from critiql.tools.database.sample.build import sample_database
from critiql.tools.models.model import ChoiceReading, Generation, Prompt, Sampling, Usage

pytestmark = pytest.mark.whole

RIGHT = "SELECT count(*) FROM artists"
WRONG = "SELECT count(*) FROM albums"


class Fond:
    """A selector that prefers the query with a word in it, wherever it stands."""

    name = fingerprint = "fond"

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[str] = []

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        self.asked.append(prompt.request)
        first = self.word in prompt.request.partition("\nB: ")[0].partition("\nA: ")[2]
        return ChoiceReading((-0.1, -2.0) if first else (-2.0, -0.1), Usage())

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        raise AssertionError("the selector writes nothing")

    def count_tokens(self, text: str) -> int:
        return len(text)


def test_only_drafts_that_ran_and_differ_are_asked_about(tmp_path: Path) -> None:
    items = load(str(questions(tmp_path, 4))).items
    one = {0: Draft(True, "a", 1), 1: Draft(False, None, 0), 2: Draft(True, "a", 1), 3: Draft(True, "a", 1)}
    other = {0: Draft(False, "b", 1), 1: Draft(True, "b", 1), 2: Draft(True, "a", 1)}
    assert [pair.item.index for pair in pairs_of(items, one, other)] == [0]


@pytest.mark.parametrize(("word", "right"), [("artists", True), ("albums", False)])
def test_what_is_preferred_in_both_orders_is_chosen(word: str, right: bool, tmp_path: Path) -> None:
    items = load(str(questions(tmp_path, 1))).items
    drafted = {0: Draft(True, "a", 1, RIGHT)}, {0: Draft(False, "b", 1, WRONG)}
    (pair,) = pairs_of(items, *drafted)
    selector = Fond(word)
    chosen = choose(selector, pair)
    assert chosen is not None
    assert chosen.right is right
    assert abs(chosen.log_odds) == pytest.approx(1.9)
    assert len(selector.asked) == 2
    assert f"A: {RIGHT}" in selector.asked[0]
    assert f"A: {WRONG}" in selector.asked[1]


def test_where_both_are_right_or_wrong_nothing_is_counted() -> None:
    told = summary(
        [
            Choice(1, True, False, 1.0),
            Choice(2, False, True, 1.0),
            Choice(3, True, True, 1.0),
            Choice(4, False, False, -1.0),
            Choice(5, False, True, 0.0),
        ]
    )
    assert (told["pairs"], told["exactly one right"]) == (5, 3)
    assert (told["the first is"], told["the second is"], told["the chosen one is"]) == (1, 2, 2)
    assert told["share"] == 0.667


@pytest.mark.parametrize(("size", "found"), [("1.5b", 18), ("0.5b", 15)])
def test_the_published_choices(size: str, found: int) -> None:
    lines = (EXPORTS / f"selector_readings_{size}.jsonl").read_text().splitlines()
    told = summary([Choice(**json.loads(line)) for line in lines])
    assert (told["pairs"], told["exactly one right"], told["the second is"]) == (38, 29, 20)
    assert told["the chosen one is"] == found


def questions(folder: Path, count: int) -> Path:
    """So many questions on the sample database, in a file of their own."""
    path = folder / "own.csv"
    lines = [f"How many artists are there ({number})?,{RIGHT},{sample_database()}" for number in range(count)]
    path.write_text("\n".join(["question,sql,database", *lines]) + "\n")
    return path
