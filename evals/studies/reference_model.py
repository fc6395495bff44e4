"""A model that knows the reference queries, as an OpenAI endpoint: it writes them right, wrong or broken.

Run as `python -m critiql.evals.studies.reference_model TASK [--limit N] [--port P]`, and name the model
`openai:reference@http://127.0.0.1:P/v1`. Which of the three it writes is decided by a digest of question and
seed, so every part of a loop has work, and whoever asks the same gets the same: one process, or a cluster.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any

import typer

from critiql.evals.data.task import questions

SHORT = 8
"""Tokens; who wants no more asks for a verdict."""


def written(question: str, gold: str, seed: int) -> str:
    """A query: right three times in six, else one that fails, one without conditions, or one row of it."""
    digest = _digest(question, seed)
    broken = gold.replace("SELECT", "SELECT nonesuch,", 1)
    return (gold, gold, gold, broken, gold.partition(" WHERE ")[0], f"{gold} LIMIT 1")[digest % 6]


def reply(body: Mapping[str, Any], references: Mapping[str, str]) -> str:
    """What the model says.

    Args:
        body: the request, as chat completions have it.
        references: query by question; of those that the last message holds, the longest counts.
    """
    text = str(body["messages"][-1]["content"])
    question = max((each for each in references if each in text), key=len, default="")
    seed = int(body.get("seed") or 0) if body.get("temperature") else 0
    if (body.get("max_tokens") or SHORT + 1) <= SHORT:
        return "True" if _digest(question, seed) % 4 else "False"
    return written(question, references.get(question, "SELECT 1"), seed)


def _digest(question: str, seed: int) -> int:
    return int(hashlib.sha256(f"{question}|{seed}".encode()).hexdigest(), 16)


def completion(body: Mapping[str, Any], text: str) -> tuple[str, str]:
    """The response, and its type of content: whole, or as a stream of one piece."""
    prompt = sum(len(str(message["content"])) for message in body["messages"]) // 4
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": len(text) // 4,
        "total_tokens": prompt + len(text) // 4,
    }
    about = {"id": "reference", "created": 1, "model": "reference"}
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


def endpoint(references: Mapping[str, str], port: int) -> ThreadingHTTPServer:
    """A server on loopback; its caller lets it serve."""

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text, kind = completion(body, reply(body, references))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            logging.getLogger(__name__).debug(format, *args)  # thousands of calls are no news on the terminal

    return ThreadingHTTPServer(("127.0.0.1", port), Endpoint)


def main(
    task: Annotated[str, typer.Argument(help="Task, data set, or a file of your own.")],
    limit: Annotated[int | None, typer.Option(help="As `critiql eval run` has it.", min=1)] = None,
    port: Annotated[int, typer.Option(help="On loopback.")] = 18800,
) -> None:
    """Serve until Ctrl-C."""
    references = {item.question: item.gold for item in questions(task, limit).items}
    server = endpoint(references, port)
    typer.echo(
        f"openai:reference@http://127.0.0.1:{server.server_port}/v1 knows {len(references)} questions."
    )
    server.serve_forever()


if __name__ == "__main__":
    typer.run(main)
