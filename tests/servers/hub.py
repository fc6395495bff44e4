"""A model hub on loopback: metadata, redirects to files on another host, ranges, and lines that break off."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_a-token-of-nobody-42"


class Hub:
    """What it holds, and what it was asked."""

    def __init__(self, files: dict[str, bytes], repository: str = "Some/Model-GGUF") -> None:
        self.files = files
        self.repository = repository
        self.card: dict[str, Any] | None = {"license": "apache-2.0"}
        self.hashes: dict[str, str] = {}
        """Hashes it states in place of the right ones."""
        self.breaks_after: int | None = None
        """Bytes of a file after which it hangs up."""
        self.needs_token = False
        self.gated = False
        """Tells what it holds to anybody, and gives files to nobody without a token."""
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        """Host it was asked by, path, headers."""
        self.servers = [ThreadingHTTPServer(("127.0.0.1", 0), self._handler()) for _ in range(2)]

    @property
    def url(self) -> str:
        """The hub's own address; files lie behind another port."""
        return f"http://127.0.0.1:{self.servers[0].server_port}"

    def listing(self) -> dict[str, Any]:
        """The metadata, as the hub gives them with `blobs=true`."""
        siblings = [
            {
                "rfilename": name,
                "size": len(data),
                "blobId": "0" * 40,
                "lfs": {
                    "sha256": self.hashes.get(name, sha256(data).hexdigest()),
                    "size": len(data),
                    "pointerSize": 135,
                },
            }
            for name, data in self.files.items()
        ]
        readme = {"rfilename": "README.md", "size": 10, "blobId": "1" * 40}
        gguf = {"total": 1, "architecture": "llama", "context_length": 8192}
        return {"sha": COMMIT, "siblings": [readme, *siblings], "cardData": self.card, "gguf": gguf}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.asked.append((self.headers["Host"], self.path, dict(self.headers)))
                hub.answer(self)

            def log_message(self, *_: object) -> None: ...

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Metadata, a redirect, or a file."""
        path = request.path.partition("?")[0]
        at_cdn = request.server is self.servers[1]
        prefix = f"/{self.repository}/resolve/{COMMIT}/"
        if self.needs_token and not at_cdn and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(request, 401, b"")
        elif self.gated and path.startswith(prefix) and "Authorization" not in request.headers:
            self._send(request, 403, b"")
        elif path == f"/api/models/{self.repository}":
            self._send(request, 200, json.dumps(self.listing()).encode())
        elif path.startswith(prefix) and path.removeprefix(prefix) in self.files:
            place = f"http://127.0.0.1:{self.servers[1].server_port}/{path.removeprefix(prefix)}?signature=s"
            self._send(request, 302, b"", Location=place)
        elif at_cdn and path[1:] in self.files:
            self._send_file(request, self.files[path[1:]])
        else:
            self._send(request, 404, b"")

    def _send_file(self, request: BaseHTTPRequestHandler, data: bytes) -> None:
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        if start >= len(data):
            self._send(request, 416, b"")
            return
        rest = data[start:]
        sent = rest if self.breaks_after is None else rest[: self.breaks_after]
        self._send(request, 206 if start else 200, sent, **{"Content-Length": str(len(rest))})

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
        request.close_connection = True


@contextmanager
def running_hub(files: dict[str, bytes]) -> Iterator[Hub]:
    """A hub that holds these files until the block ends."""
    hub = Hub(files)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in hub.servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server, thread in zip(hub.servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
