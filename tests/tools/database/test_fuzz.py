"""The protocol between a worker and its parent: whatever either sends, the other ends in a typed error."""

import json
import struct
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.result import Failure, Limits, Rows
from critiql.tools.database.sandbox import pool as worker
from critiql.tools.database.sandbox import statement, wire
from critiql.tools.database.sandbox.cells import cell
from critiql.tools.database.sandbox.pool import MAIN, WorkerPool, WorkerSpec
from critiql.tools.database.server_url import read_url, without_password

pytestmark = pytest.mark.fuzz

SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6)
KEYS = st.sampled_from(["columns", "rows", "truncated", "types", "kind", "message", "name", "b64"]) | st.text(
    max_size=3
)
MESSAGES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)
CELLS = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
)


@given(st.lists(st.lists(CELLS, max_size=3), max_size=4))
def test_rows_travel_unchanged(rows: list[list[Any]]) -> None:
    frame = wire.encode({"rows": rows})
    (size,) = wire.HEADER.unpack(frame[:4])
    assert size == len(frame) - 4
    found = wire.decode(frame[4:])["rows"]
    assert found == rows
    assert repr(found) == repr(rows)


@given(st.binary(max_size=60) | MESSAGES.map(lambda message: json.dumps(message).encode()))
def test_any_body_is_a_message_or_refused(body: bytes) -> None:
    with suppress(wire.WireError):
        assert isinstance(wire.decode(body), dict)


PARROT = "import os, pathlib; os.write(1, pathlib.Path(__file__).with_name('sent').read_bytes())"
"""A worker that says what a file holds, and ends."""
HELLO = wire.encode({"ready": True})
SENT = (
    st.binary(max_size=40)
    | MESSAGES.map(wire.encode)
    | MESSAGES.map(lambda message: wire.encode(message)[:-1])
)


@given(sent=SENT, greets=st.booleans())
def test_a_worker_that_says_anything_gives_rows_or_a_failure(
    sent: bytes, greets: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("parrot")
    (folder / "parrot.py").write_text(PARROT)
    (folder / "sent").write_bytes(HELLO + sent if greets else sent)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(worker, "MAIN", folder / "parrot.py")
        pool = WorkerPool(WorkerSpec("none", {}), 1)
        found = statement.ask_rows(pool, "SELECT 1", Limits(5.0))
        pool.close()
    assert isinstance(found, Rows | Failure)


@given(MESSAGES)
def test_any_reply_is_rows_or_a_failure(reply: dict[str, Any]) -> None:
    class Pool:
        def ask(self, *given: Any) -> dict[str, Any]:
            return reply

    found = statement.ask_rows(Pool(), "SELECT 1", Limits())  # type: ignore[arg-type]
    assert isinstance(found, Rows | Failure)
    if isinstance(found, Rows):
        assert all(len(row) == len(found.columns) for row in found.rows)


FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=12),
        MESSAGES.map(wire.encode),
        MESSAGES.map(lambda message: wire.encode(message)[:-2]),
        st.integers(0, 2**32 - 1).map(lambda size: struct.pack(">I", size)),
        st.just(
            wire.encode({"session": "critiql.tools.database.sqlite.session", "limits": {}, "options": {}})
        ),
    ),
    max_size=4,
).map(b"".join)


@given(FRAMES)
def test_a_worker_ends_on_any_input(sent: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(MAIN)],
        input=sent,
        capture_output=True,
        timeout=20,
        check=False,
        cwd="/",
    )
    assert done.returncode in (0, 1), done.stderr


PARTS = st.lists(st.sampled_from([*":/@?=&%[]é \n", "%41", "::1", "99999", "user", "host"]), max_size=6).map(
    "".join
)


@given(st.sampled_from(["postgresql", "mysql+pymysql", "x"]), PARTS, PARTS, PARTS)
def test_a_url_is_shown_without_its_password_or_refused(scheme: str, user: str, more: str, rest: str) -> None:
    url = f"{scheme}://{user}:{more}s3cret@{rest}"
    try:
        parts, shown = read_url(url), without_password(url)
    except DatabaseError as error:
        shown = str(error)
    else:
        assume("s3cret" in (parts.password or ""))
    assert "s3cret" not in shown


VALUES = st.one_of(
    SCALARS,
    st.decimals(),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.binary(max_size=5),
    st.uuids(),
)


@given(
    st.one_of(
        VALUES,
        st.lists(VALUES, max_size=3),
        st.dictionaries(st.text(max_size=3), VALUES, max_size=2),
        st.frozensets(st.integers(), max_size=3),
    )
)
def test_any_value_of_a_driver_is_a_cell_that_travels(value: Any) -> None:
    found = cell(value)
    assert found is None or isinstance(found, bool | int | float | str | bytes)
    wire.decode(wire.encode({"rows": [[found]]})[4:])
