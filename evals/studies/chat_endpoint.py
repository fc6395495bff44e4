"""A chat endpoint as OpenAI has it, on loopback: it says what a function says, without log-probabilities."""

import json
import logging
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import typer


def completion(body: Mapping[str, Any], text: str) -> tuple[str, str]:
    """The response, and its type of content: whole, or as a stream of one piece."""
    prompt = sum(len(str(message["content"])) for message in body["messages"]) // 4
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": len(text) // 4,
        "total_tokens": prompt + len(text) // 4,
    }
    about = {"id": "study", "created": 1, "model": "study"}
    said = {"role": "assistant", "content": text}
    if not body.get("stream"):
        choice = {"index": 0, "message": said, "finish_reason": "stop"}
        whole = {**about, "object": "chat.completion", "choices": [choice], "usage": usage}
        return json.dumps(whole), "application/json"
    choices: list[list[dict[str, Any]]] = [
        [{"index": 0, "delta": said, "finish_reason": None}],
        [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    ]
    pieces = [{**about, "object": "chat.completion.chunk", "choices": each} for each in choices]
    pieces.append({**about, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(piece)}\n\n" for piece in pieces]
    return "".join([*lines, "data: [DONE]\n\n"]), "text/event-stream"


def endpoint(reply: Callable[[Mapping[str, Any]], str], port: int) -> ThreadingHTTPServer:
    """A server on loopback; its caller lets it serve.

    Args:
        reply: what is said to a request, as chat completions have it.
        port: 0 takes a free one.

    Raises:
        BadParameter: the port is taken.
    """

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text, kind = completion(body, reply(body))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            logging.getLogger(__name__).debug(format, *args)  # thousands of calls are no news on the terminal

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Endpoint)
    except OSError as error:
        raise typer.BadParameter(
            f"Port {port} cannot be had ({error.strerror}). Name another one."
        ) from error
