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


def main() -> None:
    """Measure, and print the figures as one line of JSON."""
    given = argparse.ArgumentParser(description="Asks a cluster many questions at once.")
    given.add_argument("urls", nargs="+", help="Of the instances, which are asked in turn.")
    given.add_argument("--questions", type=int, default=200)
    given.add_argument("--at-once", type=int, default=16)
    given.add_argument("--graph", default="text_to_sql")
    given.add_argument("--question", default="How many artists are there?")
    given.add_argument("--database", default="", help="One that the cluster offers; empty: its first.")
    given.add_argument("--model", default="", help="One that the cluster offers; empty: its first.")
    print(json.dumps(asyncio.run(measured(given.parse_args()))))


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Throughput in questions a second, seconds a question, and what the instances used.

    Memory is in MB, after the last answer. Processor seconds of a question are those of the instances
    alone; they hardly depend on what else runs on the machine.
    """
    # each question is another one, or the answer of the first would do for all
    asked = (
        {"question": f"{options.question} ({n})", "database": options.database}
        for n in range(options.questions)
    )
    urls = itertools.cycle(options.urls)
    context = {"model": options.model} if options.model else {}
    seen: list[tuple[float, bool]] = []
    used = await processor_seconds(options.urls)
    started = time.perf_counter()
    workers = [asks(asked, urls, options.graph, context, seen) for _ in range(options.at_once)]
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
        "processor_s_each": round((await processor_seconds(options.urls) - used) / len(seen), 3),
        "memory_mb": [
            round(await figure(url, "process_resident_memory_bytes") / MEGABYTE) for url in options.urls
        ],
    }


async def asks(
    asked: Iterator[dict[str, str]], urls: Iterator[str], graph: str, context: dict[str, Any], seen: list[Any]
) -> None:
    """One person who asks again as soon as there is an answer."""
    for given in asked:
        client = get_client(url=next(urls), timeout=600)
        started = time.perf_counter()
        last: dict[str, Any] = {}
        stream = client.runs.stream(None, graph, input=given, context=context, stream_mode=["values"])
        async for part in stream:
            last = part.data if part.event == "values" else last
        seen.append((time.perf_counter() - started, bool(last.get("rows"))))


async def figure(url: str, name: str) -> float:
    """One of Prometheus' figures of an instance; its children, which hold databases, are not in it."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        page = (await client.get(f"{url}/metrics")).raise_for_status().text
    found = re.search(rf"^{name} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def processor_seconds(urls: list[str]) -> float:
    """What all instances have used of processors since they were started."""
    return sum([await figure(url, "process_cpu_seconds_total") for url in urls])


if __name__ == "__main__":
    main()
