"""Who may talk to the server: a token, hosts and origins that are ours, and messages that are not too long.

A page on the internet can send a browser to 127.0.0.1, under a name of its own that it lets point there (DNS
rebinding). So a request must name this machine as its host, by an address or a name given at start, and one
that a web page sends must come from a page of ours.
"""

import ipaddress
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from critiql.tools.served import Served

LONGEST_BODY = 1_000_000
"""Bytes of one request."""
LONGEST_UPLOAD = 200_000_000
"""Bytes of a database file that is sent, where that is allowed."""
UPLOAD = "/api/upload"
OPEN = ("/page", "/ok")
"""Paths that need no token: the page's own files, and whether the server is up."""


class Guard:
    """Lets through what may come in, and answers everything else itself."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        refused = refusal(scope["path"], headers, self._served)
        if refused is not None:
            await answer(send, *refused)
            return
        await self._within(scope, receive, send, limit_of(scope["path"]))

    async def _within(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Pass a request on, and stop reading it at the limit: a length that is not told counts too."""
        seen, begun, told = 0, False, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen <= limit:
                return message
            await tell()
            return {"type": "http.disconnect"}

        async def noted(message: Message) -> None:
            nonlocal begun
            if not told:  # whatever the application makes of a request that is cut off, it was answered
                begun = True
                await send(message)

        async def tell() -> None:
            nonlocal told
            if not begun and not told:
                told = True
                await answer(send, *too_large(limit))

        with suppress(ClientDisconnect):
            await self._app(scope, counted, noted)


def refusal(path: str, headers: Mapping[str, str], served: Served) -> tuple[int, str, str] | None:
    """Status, kind and sentence of a request that may not come in; None where it may."""
    host = headers.get("host", "")
    if not is_our_host(host, served.hosts):
        return 403, "host", f"The host {host[:80]!r} is not this server's. Start it with --allow-host NAME."
    origin = headers.get("origin", "")
    if origin and not is_our_origin(origin, host, served.origins):
        return 403, "origin", f"Pages of {origin[:80]!r} may not use this server (--allow-origin lets them)."
    if served.token and not path.startswith(OPEN) and not has_token(headers, served.token):
        return 401, "token", "A token is required: send it as `Authorization: Bearer TOKEN`."
    if int_of(headers.get("content-length", "")) > limit_of(path):
        return too_large(limit_of(path))
    return None


def is_our_host(host: str, named: tuple[str, ...]) -> bool:
    """Whether a Host header names this machine: an address, localhost, or a name given at start."""
    name = urlsplit(f"//{host}").hostname if host else None
    if name is None:
        return False
    return name == "localhost" or name in named or is_address(name)


def is_our_origin(origin: str, host: str, named: tuple[str, ...]) -> bool:
    """Whether a page comes from this server, or from one that was named at start."""
    return origin in named or urlsplit(origin).netloc.lower() == host.lower()


def is_address(name: str) -> bool:
    """Whether it is an IP address, which no name of an attacker is."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound there."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def has_token(headers: Mapping[str, str], token: str) -> bool:
    """Whether the token is there, compared in a time that does not tell how much of it was right."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    return secrets.compare_digest(given.encode(), token.encode())


def limit_of(path: str) -> int:
    """Bytes that a request to this path may hold."""
    return LONGEST_UPLOAD if path == UPLOAD else LONGEST_BODY


def int_of(text: str) -> int:
    """A Content-Length; 0 where there is none."""
    return int(text) if text.isdigit() and len(text) < 20 else 0


def too_large(limit: int) -> tuple[int, str, str]:
    """The refusal of a request that is too long."""
    return 413, "too_large", f"The request is longer than {limit // 1_000_000} MB. Send less."


def error_body(status: int, kind: str, message: str) -> dict[str, Any]:
    """An error as every door of the server tells it; `type` and `code` are for clients of OpenAI."""
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
    named = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"kind": kind, "message": message, "type": named, "code": kind, "param": None}}


async def answer(send: Send, status: int, kind: str, message: str) -> None:
    """Send an error."""
    body = json.dumps(error_body(status, kind, message)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
