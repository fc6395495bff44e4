"""A local model as an endpoint that gives no log-probabilities: what is a critic worth that answers in words?

Run as `python -m critiql.evals.studies.words_only [MODEL] [--port P]`, and name it as the critic:
`critiql eval run TASK --system ac_sql --critic-model openai:words@http://127.0.0.1:P/v1`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from critiql.agent.context import DEFAULT_MODEL
from critiql.evals.studies.chat_endpoint import endpoint
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import LanguageModel, Prompt, Sampling


def reply(body: Mapping[str, Any], model: LanguageModel) -> str:
    """What the model writes to a request of two messages, the system's and the user's."""
    system, user = (str(message["content"]) for message in body["messages"])
    sampling = Sampling(temperature=body.get("temperature") or 0.0, max_tokens=body.get("max_tokens") or 8)
    return model.generate(Prompt(system, user), sampling).text


def main(
    model: Annotated[str, typer.Argument(help="A local model.")] = DEFAULT_MODEL,
    port: Annotated[int, typer.Option(help="On loopback.")] = 18801,
) -> None:
    """Serve until Ctrl-C."""
    server = endpoint(partial(reply, model=load_model(model)), port)
    typer.echo(f"openai:words@http://127.0.0.1:{server.server_port}/v1 answers in words.")
    server.serve_forever()


if __name__ == "__main__":
    typer.run(main)
