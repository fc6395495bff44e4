"""Secrets are planted, an endpoint says them back, and everything that was told or written is searched."""

import base64
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.context import Context
from critiql.cli.main import app
from critiql.evals.run.cached_models import cached
from critiql.evals.run.call_cache import CallCache
from critiql.graphs.api import ask
from critiql.tools.database.engine import DatabaseError
from critiql.tools.models.hosted import HostedModel
from critiql.tools.models.model import ModelError, Prompt, Sampling
from critiql.tools.settings import settings

KEY, PASSWORD = "CANARY-key-81f2", "CANARY-pw-92e3"
LOGIN = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
SECRETS = (KEY, PASSWORD, LOGIN)
QUESTION = "How many items are there?"
MALFORMED = [
    "postgresql://user:{}@[host/db",
    "postgresql://user:{}@host:port/db",
    "postgresql://user:1/{}@host/db",
    "postgresql:/user:{}@host/db",
    "postgresql//user:{}@host/db",
    "postgresql:user:{}@host/db",
    "postgres ql://user:{}@host/db",
    "jdbc:postgresql://user:{}@host/db",
    "user:{}@host/db",
    "sqlite:///user:{}@host/db",
    "mysql://user:{}@127.0.0.1:1/db",
    "postgresql://user:{}@127.0.0.1:1/db?options={}",
]


class Echo(BaseHTTPRequestHandler):
    """Says the headers of a request back: in an error for the model `refused`, else in a streamed answer."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        sent = self.headers["authorization"]
        told = f"{sent} {KEY} {PASSWORD if sent.startswith('Basic') else ''}"
        if body["model"] == "refused":
            self.reply(400, "application/json", json.dumps({"error": {"message": f"no: {told}"}}))
            return
        text = f"```sql\nSELECT count(*), '{told}' FROM item\n```"
        pieces = [text[start : start + 5] for start in range(0, len(text), 5)]
        chunks: list[dict[str, Any]] = [{"delta": {"content": piece}} for piece in pieces]
        chunks.append({"delta": {}, "finish_reason": "stop"})
        events = [{"id": "1", "model": "m", "choices": [{"index": 0, **chunk}]} for chunk in chunks]
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self.reply(200, "text/event-stream", f"{lines}data: [DONE]\n\n")

    def reply(self, status: int, kind: str, content: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content.encode())))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Host and port of the endpoint; its key is configured, and the cache is under the test's folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("CRITIQL_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("CRITIQL_OPENAI_BASE_URL", f"http://{place}/v1")
    monkeypatch.setenv("CRITIQL_CACHE", str(tmp_path / "cache"))
    settings.cache_clear()
    settings()
    yield place
    server.shutdown()
    server.server_close()
    settings.cache_clear()


def secrets_in(told: str | bytes) -> list[str]:
    text = told if isinstance(told, bytes) else told.encode("utf-8", "replace")
    return [secret for secret in SECRETS if secret.encode() in text]


def written(folder: Path) -> dict[str, list[str]]:
    """The files that hold a secret."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return {str(file): found for file in files if (found := secrets_in(file.read_bytes()))}


@pytest.mark.server
@pytest.mark.enable_socket
@pytest.mark.parametrize("model", ["openai:m", "openai:m@http://user:{}@{}/v1"])
def test_a_run(
    model: str,
    endpoint: str,
    shop: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    spec = model.format(PASSWORD, endpoint)
    context = Context(model=spec, llm_critic="off", z=2, answer_cache=True, escalation_model=spec)
    answer = ask(QUESTION, shop, context=context, checkpoint=tmp_path / "run.checkpoint")
    assert answer.sql.startswith("SELECT count(*)")
    assert "***" in answer.sql, "the endpoint said it back"
    assert answer.model_calls
    assert secrets_in(answer.model_dump_json()) == []
    with_cache = CallCache(tmp_path / "calls.sqlite")
    cached(spec, with_cache).generate(Prompt("Schema", "Question?"), Sampling())
    with_cache.close()
    options = ["--db", str(shop), "--model", spec, "--set", "llm_critic=off", "--set", "z=2", "--fresh"]
    for more in ([], ["--json"]):
        done = CliRunner().invoke(app, ["ask", QUESTION, *options, *more])
        assert done.exit_code == 0, done.output
        assert "***" in done.output
        assert secrets_in(done.output) == []
    assert "HTTP Request" in caplog.text, "logs were looked at"
    assert secrets_in(caplog.text + "".join(capfd.readouterr())) == []
    assert written(tmp_path) == {}


@pytest.mark.server
@pytest.mark.enable_socket
@pytest.mark.parametrize("model", ["openai:refused", "openai:refused@http://user:{}@{}/v1"])
def test_a_refusal(model: str, endpoint: str, shop: Path, tmp_path: Path) -> None:
    spec = model.format(PASSWORD, endpoint)
    with pytest.raises(ModelError, match="refused the call") as raised:
        ask(QUESTION, shop, context=Context(model=spec), checkpoint=tmp_path / "run.checkpoint")
    assert secrets_in(str(raised.value) + repr(raised.value)) == []
    done = CliRunner().invoke(app, ["ask", QUESTION, "--db", str(shop), "--model", spec, "--fresh"])
    assert done.exit_code == 4
    assert secrets_in(done.output) == []
    assert written(tmp_path) == {}


def test_names_of_models_have_no_password() -> None:
    model = HostedModel.from_spec(f"openai:m@http://user:{PASSWORD}@host:80/v1")
    assert model.name == model.fingerprint == "openai:m@http://user:***@host:80/v1"
    assert PASSWORD not in str(model._chat.openai_api_base)
    for wrong in (f"openai:m@http://user:1/{PASSWORD}@host/v1", f"openai:m@http://u:{PASSWORD}@[h/v1"):
        with pytest.raises(ModelError) as raised:
            HostedModel.from_spec(wrong)
        assert secrets_in(str(raised.value)) == []


@pytest.mark.parametrize("url", MALFORMED)
def test_malformed_database_urls(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = url.replace("{}", PASSWORD)
    for command in (["run", "SELECT 1"], ["ask", QUESTION, "--model", "none.gguf"], ["check", "SELECT 1"]):
        done = CliRunner().invoke(app, [*command, "--db", name])
        assert done.exit_code not in (0, 1), done.output
        assert done.exception is None or isinstance(done.exception, SystemExit | DatabaseError)
        assert secrets_in(done.output) == [], done.output
