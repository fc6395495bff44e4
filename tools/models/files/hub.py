"""Model files from the Hugging Face hub, resumed where an earlier try ended."""

from collections.abc import Iterator

import httpx

from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.registry import HubSource

HUB = "https://huggingface.co"
_TIMEOUT = httpx.Timeout(30, connect=3)
"""A hub that cannot be reached must not keep anybody waiting: the next source is tried."""
_BLOCK = 1 << 20


def fetch(source: HubSource, partial: Partial, client: httpx.Client | None = None) -> Iterator[int]:
    """Add what is missing to the partial file; gives its size after each block.

    Raises:
        httpx.HTTPError: the hub cannot be reached, or refused.
        OSError: the disk is full.
    """
    start = partial.size()
    url = f"{HUB}/{source.repository}/resolve/main/{source.file}"
    headers = {"Range": f"bytes={start}-"} if start else {}
    with (
        client or httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as http,
        http.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # everything is there already
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        yield from partial.append(response.iter_bytes(_BLOCK), start if resumed else 0)
