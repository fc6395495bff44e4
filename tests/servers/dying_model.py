"""An OpenAI-compatible endpoint that does what a file says: `python dying_model.py PORT FILE TEXT`.

`answer`, `slow` (1.5 s), `wait` (a minute), `die` (closes in the middle), `garbage`, `refuse` (HTTP 500).
Beside the file it writes FILE.asked when it is called, and FILE.left when the caller went away.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, FILE, TEXT = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]


class Model(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send(200, b'{"object": "list", "data": []}')

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        FILE.with_suffix(".asked").write_text("")
        do = FILE.read_text()
        if do == "refuse":
            self.send(500, b'{"error": {"message": "it refused", "type": "server_error"}}')
        elif do == "garbage":
            self.send(200, b"<html>not a model</html>")
        elif do == "wait":
            self.wait()
        else:
            time.sleep(1.5 if do == "slow" else 0)
            self.write(bool(asked.get("stream")), dies=do == "die")

    def wait(self) -> None:
        """Until the caller leaves: then there is an end to read."""
        self.connection.settimeout(60)
        if self.connection.recv(1) == b"":
            FILE.with_suffix(".left").write_text("")
        self.close_connection = True

    def write(self, stream: bool, dies: bool) -> None:
        """The text, or its first half."""
        text = TEXT[: len(TEXT) // 2] if dies else TEXT
        usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
        head = {"id": "1", "created": 1, "model": "m", "usage": usage}
        if not stream and not dies:
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            self.send(200, json.dumps({**head, "object": "chat.completion", "choices": [choice]}).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", "100000") if dies else self.send_header("Connection", "close")
        self.end_headers()
        for delta, finish in (({"role": "assistant", "content": text}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
            if dies:
                break
        else:
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:  # type: ignore[override]
        """Nothing."""


server = ThreadingHTTPServer(("127.0.0.1", PORT), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
threading.Event().wait()
