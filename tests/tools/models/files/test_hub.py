from pathlib import Path

import httpx
import pytest

from critiql.tools.models.files import hub
from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.registry import HubSource

SOURCE = HubSource(repository="Someone/Model-GGUF", file="model.gguf")
CONTENT = b"0123456789"


def client(*, ranges: bool = True, status: int | None = None) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/Someone/Model-GGUF/resolve/main/model.gguf"
        start = int(request.headers.get("Range", "bytes=0-")[6:-1]) if ranges else 0
        if status or start >= len(CONTENT):
            return httpx.Response(status or 416)
        return httpx.Response(206 if start else 200, content=CONTENT[start:])

    return httpx.Client(transport=httpx.MockTransport(answer))


@pytest.mark.parametrize("there", [b"", b"0123", CONTENT])
def test_only_what_is_missing_is_fetched(tmp_path: Path, there: bytes) -> None:
    partial = Partial(tmp_path / "m.gguf")
    list(partial.append([there], at=0))
    list(hub.fetch(SOURCE, partial, client()))
    assert partial.path.read_bytes() == CONTENT


def test_a_hub_that_ignores_the_range_starts_over(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "m.gguf")
    list(partial.append([b"xxxx"], at=0))
    list(hub.fetch(SOURCE, partial, client(ranges=False)))
    assert partial.path.read_bytes() == CONTENT


def test_a_refusal_is_an_error_and_what_is_there_stays(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "m.gguf")
    list(partial.append([b"0123"], at=0))
    with pytest.raises(httpx.HTTPError):
        list(hub.fetch(SOURCE, partial, client(status=404)))
    assert partial.size() == 4
