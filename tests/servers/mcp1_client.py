"""A client of mcp 1.x, run by a Python of its own: `mcp1_client.py http URL TOKEN` or `stdio COMMAND...`.

It prints what it saw as one JSON object.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Any


async def main() -> dict[str, Any]:
    """Ask one question and look around."""
    import httpx
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamable_http_client

    told: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with AsyncExitStack() as stack:
        if sys.argv[1] == "http":
            headers = {"Authorization": f"Bearer {sys.argv[3]}"}
            http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=60))
            streams = await stack.enter_async_context(streamable_http_client(sys.argv[2], http_client=http))
        else:
            program = StdioServerParameters(command=sys.argv[2], args=sys.argv[3:])
            streams = await stack.enter_async_context(stdio_client(program))
        session = await stack.enter_async_context(ClientSession(streams[0], streams[1]))
        began = await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        question = {"question": "How many customers are there?"}
        asked = await session.call_tool("ask", question, progress_callback=note)
        wrong = await session.call_tool("run", {"sql": "SELECT 1", "database": "/etc/passwd"})
        table = await session.read_resource("schema://customers")  # type: ignore[arg-type]
        return {
            "version": version("mcp"),
            "protocol": began.protocolVersion,
            "tools": tools,
            "rows": (asked.structuredContent or {}).get("rows"),
            "told": told,
            "refused": [wrong.isError, wrong.content[0].text],
            "table": table.contents[0].text,
        }


sys.stdout.write(json.dumps(asyncio.run(main())))
