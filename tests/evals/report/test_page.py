import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.report.page import newest, write_report
from critiql.evals.report.rows import Entry, rows_of
from critiql.evals.report.table import HEAD, cells
from critiql.evals.run.store import Run, Store, StoredAnswer

pytestmark = pytest.mark.whole

Begin = Callable[..., Run]
Make = Callable[..., StoredAnswer]


@pytest.fixture
def store(make_run: Begin, make_stored: Make) -> Store:
    """single_shot and a loop on forty questions; the loop fixes four and breaks one."""
    store = Store(None)
    for system in ("single_shot", "loop"):
        run = make_run(store, system)
        for index in range(40):
            right = index < 20 if system == "single_shot" else 0 < index < 24
            candidate = {
                "id": 0,
                "sql": "select '</script>'",
                "p_true": 0.9 if right else 0.2,
                "correct": right,
            }
            candidates = [candidate, candidate | {"id": 1, "correct": index == 30 or right}]
            store.add(run, make_stored(index, right, candidates=candidates))
    return store


def test_a_row_holds_accuracy_cost_and_the_comparison_with_single_shot(store: Store) -> None:
    single, loop = (dict(zip(HEAD, cells(row), strict=True)) for row in rows_of(newest(store)))
    assert (single["system"], single["EX"], single["fixed"]) == ("single_shot", "50.0 ± 7.9", "")
    assert (loop["n"], loop["EX"], loop["TS"], loop["any right"]) == (
        "40",
        "57.5 ± 7.8",
        "not run",
        "60.0 ± 7.7",
    )
    assert (loop["fixed"], loop["broken"], loop["McNemar p"], loop["Holm p"]) == ("4", "1", "0.375", "0.375")
    assert (loop["calls"], loop["tokens in"], loop["of these cached"], loop["tokens out"]) == (
        "1.00",
        "100",
        "50",
        "10",
    )
    assert loop["EX - single shot"].startswith("+7.5 [")


def test_a_larger_model_that_repeats_the_query_counts_as_a_repetition(
    make_run: Begin, make_stored: Make
) -> None:
    store = Store(None)
    origins = (("actor", None), ("escalation", 0), ("refiner", None), ("repair", 0))
    candidates = [{"id": i, "origin": origin, "repeats": old} for i, (origin, old) in enumerate(origins)]
    store.add(make_run(store, "loop"), make_stored(1, True, candidates=candidates))
    [row] = rows_of(newest(store))
    assert row.repeated.value == 0.5


def test_of_equal_runs_the_newest_counts_and_every_run_is_listed(
    tmp_path: Path, store: Store, make_stored: Make
) -> None:
    first = store.runs()[0]
    spec = type(first.spec)(**{**vars(first.spec), "code": "c1"})
    again = store.begin(spec, "later", "machine", "tiny v1")
    store.add(again, make_stored(0, True))
    assert {entry.run.id for entry in newest(store)} == {store.runs()[1].id, again.id}
    write_report(store, tmp_path)
    table = (tmp_path / "table.md").read_text()
    assert first.id in table
    assert again.id in table


class Page(HTMLParser):
    """Collects what a page would load, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href") and tag != "use"]


def test_the_page_stands_alone_and_holds_every_answer(tmp_path: Path, store: Store) -> None:
    page = write_report(store, tmp_path)
    text = page.read_text()
    parsed = Page()
    parsed.feed(text)
    assert parsed.loads == []
    assert "@import" not in text
    # accuracy against cost, hardness, one reliability diagram a system
    assert parsed.tags.count("svg") == 4
    assert parsed.tags.count("script") == 2
    match = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert match
    answers = json.loads(match[1])
    assert len(answers) == 80
    assert answers[0]["candidates"][0]["sql"] == "select '</script>'"


def test_questions_are_shown_only_where_they_are_given(tmp_path: Path, store: Store) -> None:
    item = Item("tiny", 3, "db3", Path("x"), "how many <singers>", "select gold")
    assert "select gold" not in write_report(store, tmp_path / "a").read_text()
    page = write_report(store, tmp_path / "b", {("tiny", 3): item}).read_text()
    assert "select gold" in page
    assert "how many <singers>" not in page
    assert "how many \\u003csingers>" in page


def test_a_run_that_accepted_nothing_shows_theory_against_measurement(
    tmp_path: Path, make_run: Begin, make_stored: Make
) -> None:
    store = Store(None)
    run = make_run(store, "ac_sql", critic_threshold=1.0, z=3)
    for index in range(60):
        draws = [
            {
                "id": i,
                "sql": f"select {i}",
                "origin": "actor",
                "correct": (index + i) % 3 == 0,
                "p_true": 0.3 + 0.5 * ((index + i) % 3 == 0),
                "execution": {"ok": True, "row_count": 1},
            }
            for i in range(3)
        ]
        store.add(run, make_stored(index, index % 3 == 0, candidates=draws, db_id=f"db{index % 10}"))
    text = write_report(store, tmp_path).read_text()
    assert "P_z predicted against measured" in text
    assert "q + s = 1" in text


def test_an_empty_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no answers"):
        write_report(Store(None), tmp_path)


def test_the_baseline_is_the_one_with_the_fewest_settings_changed(
    make_stored: Callable[..., StoredAnswer], make_run: Callable[..., Run]
) -> None:
    store = Store(None)
    plain = Entry(make_run(store, "single_shot"), [make_stored(0, False), make_stored(1, True)])
    shown = Entry(make_run(store, "single_shot", examples="pairs.csv"), [make_stored(0, True)])
    loop = Entry(make_run(store, "text_to_sql"), [make_stored(0, True), make_stored(1, True)])
    rows = rows_of([plain, shown, loop])
    assert [row.against and row.against.paired.fixed for row in rows] == [None, 1, 1]
    assert rows[2].against is not None
    assert rows[2].against.paired.n == 2
