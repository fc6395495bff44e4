"""An endpoint on loopback that hangs: while connecting, before its headers, in its body, or by trickling."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

WAYS = ("connect", "headers", "body", "trickle", "comments")
"""`trickle` sends a word every 50 ms, `comments` only empty lines of the protocol; neither ever ends."""
SYN_SENT = "02"
"""In Linux's table of connections: one that waits for its answer."""
HEADERS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


class Hanging:
    """Where it is, and how many of its clients are still there."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.clients = 0
        """Connections that were taken and not closed by the client."""
        self.asked = threading.Event()
        """A client came."""
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=0 if how == "connect" else 16)
        self._plugs: list[socket.socket] = []
        self._over = threading.Event()

    @property
    def url(self) -> str:
        """What a model is asked at."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def start(self) -> None:
        """Begin to take clients, or to take none."""
        if self.how == "connect":  # a full queue of connections: the system answers no further one
            for _ in range(3):
                plug = socket.socket()
                plug.setblocking(False)
                with suppress(BlockingIOError):
                    plug.connect(self._socket.getsockname())
                self._plugs.append(plug)
            threading.Thread(target=self._watch, args=(self._waiting(),), daemon=True).start()
        else:
            threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Close everything."""
        self._over.set()
        for each in (*self._plugs, self._socket):
            each.close()

    def _watch(self, plugs: int) -> None:
        """Note when a client tries to connect."""
        while not self._over.is_set() and self._waiting() <= plugs:
            sleep(0.05)
        self.asked.set()

    def _waiting(self) -> int:
        """Connections to this port that the system did not answer yet."""
        port = self._socket.getsockname()[1]
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(line[2].endswith(f":{port:04X}") and line[3] == SYN_SENT for line in lines)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self.clients += 1
        with suppress(OSError), client:
            client.recv(65_536)
            self.asked.set()
            if self.how != "headers":
                client.sendall(HEADERS)
            while not self._over.is_set() and not self._is_gone(client):
                client.sendall(self._piece())
                sleep(0.05)
        self.clients -= 1

    def _is_gone(self, client: socket.socket) -> bool:
        client.settimeout(0.01)
        try:
            return client.recv(65_536) == b""
        except TimeoutError:
            return False

    def _piece(self) -> bytes:
        if self.how == "comments":
            return b": still there\n\n"
        if self.how != "trickle":
            return b""
        chunk = {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "word "}}]}
        return f"data: {json.dumps(chunk)}\n\n".encode()


@contextmanager
def hanging(how: str) -> Iterator[Hanging]:
    """An endpoint that hangs in that way until the block ends."""
    server = Hanging(how)
    server.start()
    try:
        yield server
    finally:
        server.stop()
