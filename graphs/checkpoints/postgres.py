"""Checkpoints in a PostgreSQL, for several machines; an advisory lock holds a thread for one run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import DictRow, dict_row

from critiql.graphs.checkpoints.saver import CheckpointError, Checkpoints, in_use, said
from critiql.graphs.checkpoints.serde import CheckedSerializer
from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.server_url import read_url

CONNECT_SECONDS = 10
TRIES, PAUSE = 20, 0.1
"""How often, and how many seconds apart, a thread's lock is asked for."""

Connection = psycopg.AsyncConnection[DictRow]


@asynccontextmanager
async def checkpoints(where: str | Path, thread: str) -> AsyncIterator[Checkpoints]:
    """The checkpoints of a thread at `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.

    Raises:
        CheckpointError: no connection, no rights to make tables, tables of another version, or another run
            has the thread.
    """
    url = str(where)
    shown = _shown(url)
    connection = await _connected(url, shown)
    async with connection:
        saver = AsyncPostgresSaver(connection, serde=CheckedSerializer())
        try:
            await saver.setup()
            newest = await _value(connection, "SELECT max(v) AS value FROM checkpoint_migrations")
            free = await _locked(connection, thread)
        except psycopg.Error as error:
            msg = f"{shown} cannot be used for checkpoints: {said(error)}. The account must own its tables."
            raise CheckpointError(msg) from error
        if newest >= len(saver.MIGRATIONS):
            raise CheckpointError(
                f"{shown} holds checkpoints of another version (step {newest}; this one reads "
                f"{len(saver.MIGRATIONS) - 1}). Name another database, or use that version."
            )
        if not free:
            raise in_use(thread, shown)
        yield Checkpoints(saver, thread, shown, (psycopg.Error,))


def _shown(url: str) -> str:
    """The URL without its password."""
    try:
        return read_url(url).shown
    except DatabaseError as error:
        raise CheckpointError(str(error)) from error


async def _connected(url: str, shown: str) -> Connection:
    """A connection as LangGraph's saver wants it."""
    try:
        return await Connection.connect(
            url.replace("postgresql+psycopg://", "postgresql://", 1),
            autocommit=True,
            prepare_threshold=0,
            row_factory=dict_row,
            connect_timeout=CONNECT_SECONDS,
            application_name="critiql",
        )
    except psycopg.OperationalError as error:
        msg = (
            f"{shown} cannot be reached for checkpoints: {said(error)}. Check address, account and password."
        )
        raise CheckpointError(msg) from error
    except psycopg.Error as error:  # its text may repeat the URL
        msg = "The URL for checkpoints cannot be read. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        raise CheckpointError(msg) from error


async def _value(connection: Connection, query: Any, *values: object) -> Any:
    """The one value of a query."""
    found = await (await connection.execute(query, values)).fetchone()
    return found["value"] if found else None


async def _locked(connection: Connection, thread: str) -> bool:
    """Whether the thread is ours now; the server takes a moment to see that a killed process is gone."""
    number = int.from_bytes(sha256(f"critiql:{thread}".encode()).digest()[:8], "big", signed=True)
    for _ in range(TRIES):
        if await _value(connection, "SELECT pg_try_advisory_lock(%s) AS value", number):
            return True
        await asyncio.sleep(PAUSE)
    return False
