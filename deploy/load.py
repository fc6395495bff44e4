"""Asks a cluster many questions at once, and says how long they took and how much memory the instances had.

python deploy/load.py http://127.0.0.1:8601 http://127.0.0.1:8602 --questions 200 --at-once 16
"""

import argparse
import asyncio
import itertools
import json
import re
import statistics
import time
from collections.abc import Iterator
from typing import Any

import httpx
from langgraph_sdk import get_client

MEGABYTE = 1_000_000
MEMORY = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)


def main() -> None:
    """Measure, and print the figures as one line of JSON."""
    given = argparse.ArgumentParser(description="Asks a cluster many questions at once.")
    given.add_argument("urls", nargs="+", help="Of the instances, which are asked in turn.")
    given.add_argument("--questions", type=int, default=200)
    given.add_argument("--at-once", type=int, default=16)
    given.add_argument("--graph", default="text_to_sql")
    given.add_argument("--model", default="", help="One that the cluster offers; empty: its first.")
    print(json.dumps(asyncio.run(measured(given.parse_args()))))


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Throughput in questions a second, seconds a question, and MB of each instance after it."""
    numbers = iter(range(options.questions))
    urls = itertools.cycle(options.urls)
    context = {"model": options.model} if options.model else {}
    seen: list[tuple[float, bool]] = []
    started = time.perf_counter()
    workers = (asks(numbers, urls, options.graph, context, seen) for _ in range(options.at_once))
    await asyncio.gather(*workers)
    took = time.perf_counter() - started
    seconds = sorted(took for took, _ in seen)
    return {
        "instances": len(options.urls),
        "questions": len(seen),
        "at_once": options.at_once,
        "answered": sum(answered for _, answered in seen),
        "per_second": round(len(seen) / took, 2),
        "median_s": round(statistics.median(seconds), 2),
        "p95_s": round(statistics.quantiles(seconds, n=20)[-1], 2),
        "memory_mb": [round(await memory(url)) for url in options.urls],
    }


async def asks(
    numbers: Iterator[int], urls: Iterator[str], graph: str, context: dict[str, Any], seen: list[Any]
) -> None:
    """One person who asks again as soon as there is an answer."""
    for number in numbers:
        client = get_client(url=next(urls), timeout=600)
        given = {"question": f"How many artists are there? This is question {number}."}
        started, last = time.perf_counter(), {}
        stream = client.runs.stream(None, graph, input=given, context=context, stream_mode=["values"])
        async for part in stream:
            last = part.data if part.event == "values" else last
        seen.append((time.perf_counter() - started, bool(last.get("rows"))))


async def memory(url: str) -> float:
    """Resident megabytes of an instance just now; its children, which hold databases, are not in it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        page = (await client.get(f"{url}/metrics")).text
    found = MEMORY.search(page)
    return float(found[1]) / MEGABYTE if found else 0.0


if __name__ == "__main__":
    main()
