"""`make studio`: plain `langgraph dev` with our langgraph.json has the same walls as `critiql serve`."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from langgraph_sdk import get_sync_client
from scripted_endpoint import free_port, script, scripted_endpoint
from served import ASKED, COUNT, PLAIN, QUESTION, bearer, environment_of, make_shop, running

from critiql.server.offer import STUDIO, OfferError, offered
from critiql.tools.settings import settings

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-tests"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


class Studio(NamedTuple):
    """A running `langgraph dev`."""

    port: int
    database: Path

    def url(self, host: str = "127.0.0.1") -> str:
        """Where it is, by an address of this machine."""
        return f"http://{host}:{self.port}"


def langgraph_dev(folder: Path, port: int, *more: str) -> list[str]:
    """The command, in a folder of its own, so that no thread of an earlier run is there."""
    shutil.copy(ROOT / "langgraph.json", folder)
    quiet = ["--no-browser", "--no-reload", "--allow-blocking"]
    return [script("langgraph"), "dev", *quiet, "--port", str(port), *more]


@pytest.fixture(scope="module", params=["", TOKEN], ids=["without a token", "with a token"])
def studio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """It listens on every address, which is what is to be survived."""
    folder = tmp_path_factory.mktemp("studio")
    database, port = folder / "shop.sqlite", free_port()
    make_shop(database)
    with scripted_endpoint(COUNT, folder / "llmock.log") as model:
        offer = {"databases": {"shop": str(database)}, "models": [model], "origins": [STUDIO]}
        said = json.dumps({**offer, "token": request.param})
        given = environment_of(folder, CRITIQL_SERVED=said)
        with running(langgraph_dev(folder, port, "--host", "0.0.0.0"), folder, port, given):
            yield Studio(port, database), bearer(request.param) if request.param else {}


def test_a_question_in_studio(studio: tuple[Studio, dict[str, str]]) -> None:
    place, headers = studio
    with get_sync_client(url=place.url(), headers=headers, timeout=120) as client:
        final = client.runs.wait(None, "assistant", input=ASKED, context=PLAIN)
        assert final["answer"]["rows"] == [[3]]
        by_itself = {"question": QUESTION}
        assert client.runs.wait(None, "text_to_sql", input=by_itself, context=PLAIN)["rows"] == [[3]]


def test_it_opens_nothing_that_was_not_named(studio: tuple[Studio, dict[str, str]], tmp_path: Path) -> None:
    place, headers = studio
    make_shop(tmp_path / "other.sqlite")
    for database in (str(tmp_path / "other.sqlite"), "/etc/passwd", "sqlite:///x", "postgresql://h/d"):
        with get_sync_client(url=place.url(), headers=headers, timeout=60) as client:
            final = client.runs.wait(None, "assistant", input={**ASKED, "database": database}, context=PLAIN)
            assert final["problem"]["kind"] == "database"
    for setting in (
        {"model": "openai:m@http://127.0.0.1:9/v1"},
        {"actor_model": "/tmp/a.gguf"},
        {"examples": "/etc/passwd"},
    ):
        with get_sync_client(url=place.url(), headers=headers, timeout=60) as client:
            given, chosen = {"question": QUESTION}, {**PLAIN, **setting}
            parts = list(
                client.runs.stream(None, "text_to_sql", input=given, context=chosen, stream_mode=["values"])
            )
            assert parts[-1].event == "error"
            assert (
                next(iter(setting.values())) in parts[-1].data["message"]
                or "a file" in parts[-1].data["message"]
            )


def test_pages_of_studio_may_use_it_and_others_may_not(studio: tuple[Studio, dict[str, str]]) -> None:
    place, headers = studio
    asked = httpx.options(f"{place.url()}/threads/search", headers={**PREFLIGHT, "Origin": STUDIO})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] in (STUDIO, "*")
    for path in ("/threads/search", "/runs/wait", "/assistants/search", "/api/run"):
        for name in (
            "https://attacker.example",
            "null",
            "http://127.0.0.1:3000",
            "https://smith.langchain.com.evil",
        ):
            foreign = {**headers, "Origin": name}
            refused = httpx.post(f"{place.url()}{path}", json={}, headers=foreign)
            assert refused.status_code == 403
            asked = httpx.options(f"{place.url()}{path}", headers={**PREFLIGHT, "Origin": name})
            assert asked.status_code == 403
        rebound = httpx.post(f"{place.url()}{path}", json={}, headers={**headers, "Host": "attacker.example"})
        assert rebound.status_code == 403


def test_off_loopback_only_with_the_token(studio: tuple[Studio, dict[str, str]]) -> None:
    place, headers = studio
    url = place.url(address_of_this_machine())
    wrong = (
        {},
        bearer("a-token-of-nobody"),
        {"X-Forwarded-For": "127.0.0.1"},
        {"x-auth-scheme": "langsmith"},
    )
    for stranger in wrong:
        refused = httpx.post(f"{url}/threads/search", json={}, headers=stranger)
        assert refused.status_code == (401 if headers else 403)
        assert "token" in refused.json()["error"]["message"]
    if headers:
        assert httpx.post(f"{url}/threads/search", json={}, headers=headers).status_code == 200


def address_of_this_machine() -> str:
    """One that is not of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but those of loopback")
        return str(probe.getsockname()[0])


def test_unasked_it_serves_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRITIQL_SERVED", "")
    settings.cache_clear()
    found = offered()
    assert list(found.databases) == ["sample"]
    assert found.models
    assert found.origins == (STUDIO,)
    settings.cache_clear()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shop.sqlite", "CRITIQL_SERVED cannot be read"),
        ('{"databases": {}}', "names no database"),
        ('{"databases": {"a": "b"}, "tokens": "x"}', "tokens"),
        ('{"databases": {"a": "b"}, "users": {"ines": "short"}}', "shorter than"),
        (
            '{"databases": {"a": "b"}, "token": "0123456789abcdef", "users": {"i": "0123456789abcdee"}}',
            "either",
        ),
    ],
)
def test_what_cannot_be_served(text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRITIQL_SERVED", text)
    settings.cache_clear()
    with pytest.raises(OfferError, match=said):
        offered()
    settings.cache_clear()
