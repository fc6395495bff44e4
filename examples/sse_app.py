"""A web application of one's own that streams the trace as server-sent events.

Run: pip install critiql fastapi uvicorn && uvicorn sse_app:app --app-dir examples
Then: curl -N 'http://127.0.0.1:8000/ask?question=How+many+albums+are+there%3F'
"""

from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.graphs.api import stream

app = FastAPI()
app.state.database = ""
app.state.context = Context()


@app.get("/ask")
async def ask(question: str) -> StreamingResponse:
    """Answer a question; a client that leaves ends the run."""
    return StreamingResponse(parts(question), media_type="text/event-stream")


async def parts(question: str) -> AsyncIterator[str]:
    """The trace, then the answer."""
    async for item in stream(question, app.state.database, context=app.state.context):
        name = "answer" if isinstance(item, Answer) else "trace"
        # ASCII, since some clients end a line at U+2028
        yield f"event: {name}\ndata: {item.model_dump_json(ensure_ascii=True)}\n\n"
