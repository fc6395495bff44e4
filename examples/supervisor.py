"""A graph of one's own with Critiql as a part of it: a question goes to the database, a greeting does not.

Run: pip install critiql && python examples/supervisor.py "How many albums are there?"
"""

import sys
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from critiql import Context
from critiql import graph as graph_of


class Desk(TypedDict, total=False):
    """What the desk knows of a question."""

    question: str
    database: str
    reply: str
    sql: str


def route(state: Desk) -> Literal["database", "small_talk"]:
    """A question goes to the database; a greeting does not."""
    return "database" if state["question"].rstrip().endswith("?") else "small_talk"


def make_desk(context: Context | None = None) -> Any:
    """The graph; Critiql's own graph runs in one of its nodes, and `subgraphs=True` streams its trace too."""
    text_to_sql = graph_of("text_to_sql")

    async def database(state: Desk) -> Desk:
        given: Any = {"question": state["question"], "database": state.get("database", "")}
        answer = await text_to_sql.ainvoke(given, context=context)
        return {"reply": answer["in_words"], "sql": answer["sql"]}

    def small_talk(state: Desk) -> Desk:
        return {"reply": f"Hello. Ask me something about the data, {state['question'].strip('. !')}."}

    builder = StateGraph(Desk)
    builder.add_node("database", database)
    builder.add_node("small_talk", small_talk)
    builder.add_conditional_edges(START, route)
    builder.add_edge("database", END)
    builder.add_edge("small_talk", END)
    return builder.compile()


if __name__ == "__main__":
    import asyncio

    said = " ".join(sys.argv[1:]) or "Which five customers spent the most?"
    found = asyncio.run(make_desk().ainvoke({"question": said}))
    sys.stdout.write(f"{found['reply']}\n{found.get('sql', '')}\n")
