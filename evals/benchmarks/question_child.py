"""One process that answers questions and says when it got where; what `seconds` starts and reads.

`python -m critiql.evals.benchmarks.question_child MODEL QUESTION ...` prints a JSON object: moments on the
clock of the day, with the processor seconds of this process by then. Only the standard library is imported
before the first moment.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

Moment = dict[str, Any]


def moment(name: str) -> Moment:
    """Now, by both clocks."""
    return {"name": name, "at": time.time(), "cpu": time.process_time()}


async def answer(question: str, model: str) -> list[Moment]:
    """Ask one question; a moment for each thing that happens."""
    from critiql.agent.answer import Answer
    from critiql.agent.context import Context
    from critiql.graphs.api import stream

    seen = [moment("asked")]
    async for item in stream(question, context=Context(model=model)):
        name = "answer" if isinstance(item, Answer) else item.type
        if name not in {one["name"] for one in seen}:
            seen.append(moment(name))
    return seen


def main() -> None:
    """Import, load, ask."""
    moments = [moment("started")]
    from critiql.graphs.api import stream
    from critiql.graphs.catalogue import graph

    graph("text_to_sql")
    moments.append(moment("imported"))
    from critiql.tools.models.factory import load_model

    model, *questions = sys.argv[1:]
    load_model(model)
    moments.append(moment("loaded"))
    asked = [asyncio.run(answer(question, model)) for question in questions]
    assert stream is not None
    sys.stdout.write(json.dumps({"moments": moments, "questions": asked}) + "\n")
    sys.stdout.flush()
    os._exit(0)  # what a process takes to free its model is nobody's waiting


if __name__ == "__main__":
    main()
