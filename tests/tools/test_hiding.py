"""What may not leave the process, and what stays as it is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from critiql.tools import hiding
from critiql.tools.hiding import HidingStream, hide_known, hide_known_in, hide_secrets, know_secret

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES = [json.loads(line) for line in (FIXTURES / "hidden.jsonl").read_text("utf-8").splitlines()]
KEY = "sk-known-1234"


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hiding, "_known", set())
    know_secret(KEY, "known", "wordswithoutdigits", "", None)
    return


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_secrets_in_sentences(case: dict[str, str]) -> None:
    assert hide_secrets(case["text"]) == case["hidden"]
    assert hide_secrets(case["hidden"]) == case["hidden"]


def test_data_loses_only_what_is_known() -> None:
    data = {"sql": f"SELECT '{KEY}', 'http://u:p@h'", "rows": [[1, None, KEY, b"x"], ("known",)]}
    shown = {"sql": "SELECT '***', 'http://u:p@h'", "rows": [[1, None, "***", b"x"], ("known",)]}
    assert hide_known_in(data) == shown


@pytest.mark.parametrize("size", range(1, 20))
def test_a_secret_is_hidden_across_pieces(size: int) -> None:
    text = f"sk- and sk-know and {KEY}{KEY} and {KEY[:-1]}"
    shown: list[str] = []
    stream = HidingStream(shown.append)
    for start in range(0, len(text), size):
        stream.feed(text[start : start + size])
    stream.finish()
    assert "".join(shown) == hide_known(text) == "sk- and sk-know and ****** and sk-known-123"
