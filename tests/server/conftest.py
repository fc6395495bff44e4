"""A server's offer: the shop under a name, with a scripted model."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from critiql.server.app import make_app
from critiql.tools.served import Served
from critiql.tools.settings import settings


@pytest.fixture
def offered(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """This process serves the shop, and nothing else."""
    served = Served(databases={"shop": str(shop)}, models=("scripted",))
    monkeypatch.setenv("CRITIQL_SERVED", served.model_dump_json())
    settings.cache_clear()
    yield served
    settings.cache_clear()


@pytest.fixture
def app(offered: Served) -> FastAPI:
    """The application."""
    return make_app(offered)


@pytest.fixture
async def client(app: FastAPI) -> "Iterator[httpx.AsyncClient]":
    """A client of the application, without a socket."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8484") as opened:
        yield opened
