"""Who may talk to the server: a token, hosts and origins that are ours, and messages that are not too long.

A page on the internet can send a browser to 127.0.0.1, under a name of its own that it lets point there (DNS
rebinding). So a request must name this machine as its host, by an address or a name given at start, and one
that a web page sends must come from a page of ours. A server without a token is for this machine alone, on
whichever address it was bound.
"""

import ipaddress
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
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
EVERYBODY = "everybody"
"""Who asks where users are not told apart."""
POLICY_VIOLATION = 1008
"""Code with which a websocket is closed that may not be opened."""
TOO_BIG = 1009
"""Code with which one is closed whose message is too long."""

asking: ContextVar[str] = ContextVar("asking", default=EVERYBODY)
"""The user whose request is being answered, for doors that keep something between requests."""


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
        refused = refusal(
            scope["path"], headers, self._served, method=scope.get("method", "GET"), peer=peer_of(scope)
        )
        if refused is not None:
            await refuse(scope, send, *refused)
            return
        asking.set(visitor(headers, self._served) or EVERYBODY)
        await self._within(scope, receive, send, limit_of(scope["path"]))

    async def _within(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Pass a request on, and stop reading it at the limit: a length that is not told counts too."""
        seen, begun, told = 0, False, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if scope["type"] == "websocket":
                return (
                    message if size_of(message) <= limit else {"type": "websocket.disconnect", "code": 1009}
                )
            seen += size_of(message)
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


def refusal(
    path: str, headers: Mapping[str, str], served: Served, *, method: str = "GET", peer: str = "127.0.0.1"
) -> tuple[int, str, str] | None:
    """Status, kind and sentence of a request that may not come in; None where it may.

    Args:
        path: what is asked for.
        headers: by lower-case name.
        served: what was given at start.
        method: GET, POST and so on.
        peer: the address it comes from.
    """
    host = headers.get("host", "")
    if not is_our_host(host, served.hosts):
        return 403, "host", f"The host {host[:80]!r} is not this server's. Start it with --allow-host NAME."
    origin = headers.get("origin", "")
    if origin and not is_our_origin(origin, host, served.origins):
        return 403, "origin", f"Pages of {origin[:80]!r} may not use this server (--allow-origin lets them)."
    if not path.startswith(OPEN) and not is_preflight(method, headers):
        if not (served.token or served.users or is_loopback(peer)):
            return 403, "address", "This server has no token, so it answers this machine only (--token)."
        if visitor(headers, served) is None:
            return 401, "token", "A token is required: send it as `Authorization: Bearer TOKEN`."
    if int_of(headers.get("content-length", "")) > limit_of(path):
        return too_large(limit_of(path))
    return None


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser only asks what it may send; it sends no token then, and nothing is done."""
    return method == "OPTIONS" and "access-control-request-method" in headers


def peer_of(scope: Scope) -> str:
    """The address that a request comes from; a socket that is a file belongs to this machine."""
    client = scope.get("client")
    return str(client[0]) if client else "127.0.0.1"


def size_of(message: Message) -> int:
    """Bytes of what a client sent, by either protocol."""
    return len(message.get("body") or message.get("bytes") or (message.get("text") or "").encode())


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


def visitor(headers: Mapping[str, str], served: Served) -> str | None:
    """The user whose token is there, `everybody` where users are not told apart, None without a right one."""
    given = token_of(headers)
    if served.users:
        return next((name for name, token in served.users.items() if is_same(given, token)), None)
    return EVERYBODY if not served.token or is_same(given, served.token) else None


def token_of(headers: Mapping[str, str]) -> str:
    """The token that was sent; empty where there is none."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def is_same(given: str, token: str) -> bool:
    """Whether it is the token, compared in a time that does not tell how much of it was right."""
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


async def refuse(scope: Scope, send: Send, status: int, kind: str, message: str) -> None:
    """Turn a request away, in the protocol in which it came."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": message[:120]})
    else:
        await answer(send, status, kind, message)


async def answer(send: Send, status: int, kind: str, message: str) -> None:
    """Send an error."""
    body = json.dumps(error_body(status, kind, message)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
