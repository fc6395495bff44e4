"""An OpenAI-compatible endpoint in the test's own process, with a gate before some of its answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class GatedModel:
    """A model that always writes the same text.

    While its gate is shut, a call that shows it that very text gets no answer, and is only noted.
    So what asks twice, once for a query and once with it, stands still between the two.

    Attributes:
        name: how an agent names it.
        asked: the bodies of all calls, in the order in which they came.
    """

    def __init__(self, text: str, port: int) -> None:
        self.text = text
        self.name = f"openai:m@http://127.0.0.1:{port}/v1"
        self.asked: list[str] = []
        self._gate = threading.Event()
        self._gate.set()

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Keep the gate shut while the block runs."""
        self._gate.clear()
        try:
            yield
        finally:
            self._gate.set()

    def reply(self, body: str) -> str:
        """The text, as soon as the gate lets it through."""
        self.asked.append(body)
        if self.text in body:
            self._gate.wait()
        return self.text


@contextmanager
def gated_model(text: str) -> Iterator[GatedModel]:
    """The endpoint while the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Call) as server:
        model = GatedModel(text, server.server_port)
        server.model = model  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield model
        finally:
            server.shutdown()


class _Call(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        text = self.server.model.reply(body)  # type: ignore[attr-defined]
        with suppress(ConnectionError):  # the caller was killed
            self._send(text, bool(json.loads(body).get("stream")))

    def _send(self, text: str, stream: bool) -> None:
        usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
        message, finish = {"role": "assistant", "content": text}, {"index": 0, "finish_reason": "stop"}
        choice = {**finish, "delta" if stream else "message": message}
        kind = "chat.completion.chunk" if stream else "chat.completion"
        data = json.dumps(
            {"id": "1", "object": kind, "created": 1, "model": "m", "usage": usage, "choices": [choice]}
        )
        if stream:
            data = f"data: {data}\n\ndata: [DONE]\n\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", str(len(data.encode())))
        self.end_headers()
        self.wfile.write(data.encode())

    def log_message(self, *args: object) -> None:  # type: ignore[override]
        """Nothing."""
