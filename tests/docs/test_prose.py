"""The mechanical rules for what people read: lines, sentences, pages, links, and what is not to be said."""

import re
from pathlib import Path

import pytest
from prose import lines, mean_words, sentences

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FRONT = ("README.md", "docs/RESULTS.md")
"""Pages that everybody reads: one screen, short sentences."""

LONGEST_LINE = 300
ONE_SCREEN = 60
"""Lines of a page on one screen."""
MEAN_WORDS = 16
"""Words of a sentence, on average."""
WITHOUT_ORIGIN = ("once, by a script", "MEASURED", "TODO", "TBD")
"""A figure without a command that makes it, and what stands where a figure should."""

FOLDERS = "agent|cli|docs|evals|examples|graphs|prompts|server|tests|tools|training"
"""Folders whose files pages name."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_line_is_too_long(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    long = [number for number, line in lines(text) if len(line) > LONGEST_LINE and not line.startswith("|")]
    assert not long, f"lines of more than {LONGEST_LINE} characters"


@pytest.mark.parametrize("page", FRONT)
def test_front_pages_fit_on_one_screen(page: str) -> None:
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= ONE_SCREEN


@pytest.mark.parametrize("page", FRONT)
def test_sentences_of_front_pages_are_short(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert len(sentences(text)) >= 8
    assert mean_words(text) <= MEAN_WORDS


def test_sentences_are_counted_as_people_do() -> None:
    text = "One two three. Four\nfive `a.b`!\n\n- Six [seven](x.md) eight\n\n"
    page = f"# No sentence\n\n{text}```sh\nnine\n```\n| ten |\n"
    assert sentences(page) == ["One two three.", "Four five `a.b`!", "Six seven eight"]
    assert mean_words(page) == 3


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_figure_has_an_origin(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [word for word in WITHOUT_ORIGIN if re.search(rf"\b{re.escape(word)}\b", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_of_ours_that_are_named_are_there(page: Path) -> None:
    named = re.findall(rf"`((?:{FOLDERS})/[\w./*-]*)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not any(ROOT.glob(name))] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs/results").rglob("*.md")), ids=_name)
def test_every_experiment_begins_with_its_command(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "```" in text, "a command, or code that shows what was measured"
    assert text.find("```") < (text.find("\n|") if "\n|" in text else len(text))
    assert re.search(r"(setup\.md|CRITIQL_DATA|no interval|n = )", text), "where it is from"


def test_every_page_is_in_an_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    results = (ROOT / "docs/RESULTS.md").read_text(encoding="utf-8")
    missing = [
        name
        for page in (ROOT / "docs").rglob("*.md")
        if (name := page.relative_to(ROOT / "docs").as_posix()) != "README.md"
        and f"]({name})" not in (results if name.startswith("results/") else index)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_to_headings_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = [
        f"{target}#{heading}"
        for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text)
        if heading not in _headings(page.parent / target if target else page)
    ]
    assert broken == []


def _headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = [line for _, line in lines(page.read_text(encoding="utf-8")) if line.startswith("#")]
    plain = [re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()) for line in found]
    return {line.strip().replace(" ", "-") for line in plain}
