import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.models.local.text_stream import TextStream

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "fixtures/models/text_stream.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_only_certain_text_is_shown(case: dict[str, Any]) -> None:
    stream = TextStream(case["stop"])
    pieces = [bytes.fromhex(piece) for piece in case.get("pieces_hex", [])]
    pieces = pieces or [piece.encode() for piece in case["pieces"]]
    assert [*map(stream.feed, pieces), stream.finish()] == case["shown"]
    assert stream.stopped == case["stopped"]
