"""Checkpoints: what a state may hold comes back, and a file with any bytes is refused in a sentence."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from critiql.graphs.checkpoints.saver import CheckpointError, open_checkpoints
from critiql.graphs.checkpoints.serde import CheckedSerializer, DamagedError
from critiql.graphs.single_shot import builder

pytestmark = pytest.mark.fuzz

CELLS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(max_size=8)
)
VALUES = st.recursive(
    CELLS
    | st.builds(AIMessage, st.text(max_size=5), id=st.text(max_size=3))
    | st.builds(HumanMessage, st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_state_comes_back_as_it_was(value: Any) -> None:
    serializer = CheckedSerializer()
    assert serializer.loads_typed(serializer.dumps_typed(value)) == value


@given(VALUES, st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_noticed(value: Any, place: int, change: int) -> None:
    serializer = CheckedSerializer()
    kind, data = serializer.dumps_typed(value)
    spoilt = bytearray(data)
    spoilt[place % len(spoilt)] ^= change
    with pytest.raises(DamagedError):
        serializer.loads_typed((kind, bytes(spoilt)))


@given(
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=8)), max_size=4),
    cut=st.sampled_from([0, 0, 1, 100, 4096, 5000, 10**6]),
    metadata=st.none()
    | st.binary(max_size=20)
    | st.sampled_from([b"[]", b"1", b'{"critiql": {"format": 1}}', b"null"]),
)
def test_a_file_of_any_bytes_is_read_or_refused(
    changes: list[tuple[int, bytes]],
    cut: int,
    metadata: bytes | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = tmp_path_factory.mktemp("checkpoint") / "run"
    asyncio.run(begun(place))
    if metadata is not None:
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute("UPDATE checkpoints SET metadata = ?", (metadata,))
    content = bytearray(place.read_bytes())
    for at, new in changes:
        at %= len(content)
        content[at : at + len(new)] = new
    place.write_bytes(content[: max(len(content) - cut, 0)])
    with suppress(CheckpointError):
        asyncio.run(begun(place))
    assert sorted(path.name for path in place.parent.iterdir()) in (["run"], ["run", "run-shm", "run-wal"])


async def begun(place: Path) -> None:
    """Look at the thread, then write to it."""
    async with open_checkpoints(place) as checkpoints:
        found = await checkpoints.aget_tuple(checkpoints.start)
        graph = builder.compile(checkpointer=checkpoints)
        state = {"question": "How many?", "candidates": [{"id": 1, "sql": "SELECT 1"}]}
        await graph.aupdate_state(checkpoints.start, state, as_node="ground")
        assert found is None or found.checkpoint
