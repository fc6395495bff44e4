"""Files of models and caches with random bytes: a typed error or nothing, never a crash."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from critiql.tools.errors.head import Head, HeadError, load
from critiql.tools.models.files.registry import ModelRecord, Registry
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.text_stream import TextStream

pytestmark = pytest.mark.fuzz

SHIPPED = Path(__file__).parents[3] / "tools" / "models" / "files" / "registry.json"
PLACES = st.integers(0, 10**6)


def spoilt(content: bytes, changes: list[tuple[int, bytes]], cut: int) -> bytes:
    """The bytes with some replaced, and the end perhaps lost."""
    found = bytearray(content)
    for place, new in changes:
        at = place % (len(found) + 1)
        found[at : at + len(new)] = new
    return bytes(found[: len(found) - cut] if cut < len(found) else b"")


CHANGES = st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=8)), max_size=4)
CUTS = st.sampled_from([0, 0, 0, 1, 7, 40, 1000, 10**6])


@given(state=st.binary(min_size=1, max_size=200), changes=CHANGES, cut=CUTS)
def test_a_prefix_state_comes_back_whole_or_not_at_all(
    state: bytes, changes: list[tuple[int, bytes]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("prefixes")
    PrefixStore(folder, 10**6).put("key", state)
    (file,) = folder.iterdir()
    before = file.read_bytes()
    file.write_bytes(spoilt(before, changes, cut))
    changed = file.read_bytes() != before
    assert PrefixStore(folder, 10**6).get("key") == (None if changed else state)


@given(
    st.one_of(
        st.binary(max_size=60), st.tuples(CHANGES, CUTS).map(lambda how: spoilt(SHIPPED.read_bytes(), *how))
    )
)
def test_a_registry_is_read_or_refused(content: bytes) -> None:
    try:
        found = Registry.model_validate_json(content)
    except ValidationError:
        return
    assert all(isinstance(model, ModelRecord) for model in found.models)


def head_bytes(folder: Path) -> bytes:
    import numpy as np

    from critiql.tools.errors.head import ROWS

    rows = np.ones((ROWS, 4), np.float32)
    Head(rows, rows[:, 0].copy(), rows[:, 1].copy(), "m", "p").save(folder / "head")
    return (folder / "head").read_bytes()


@given(changes=CHANGES, cut=CUTS, meta=st.none() | st.text(max_size=10) | st.just("{}") | st.just("[1]"))
def test_a_head_is_read_or_refused(
    changes: list[tuple[int, bytes]], cut: int, meta: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import numpy as np

    folder = tmp_path_factory.mktemp("head")
    content = spoilt(head_bytes(folder), changes, cut)
    if meta is not None:
        content = content.replace(b'"types":"', b'"types":' + json.dumps(meta).encode() + b',"x":"', 1)
    (folder / "head").write_bytes(content)
    try:
        head = load(folder / "head")
    except HeadError:
        return
    assert isinstance(head.detect(np.ones(head.weights.shape[1], np.float32)), list)


@given(
    st.lists(
        st.binary(max_size=5) | st.sampled_from([b"```", b"`", b";\n", "é".encode()[:1], "漢".encode()]),
        max_size=12,
    )
)
def test_a_stream_shows_the_text_up_to_the_stop(pieces: list[bytes]) -> None:
    stream = TextStream(("```", ";\n"))
    shown = "".join(stream.feed(piece) for piece in pieces) + stream.finish()
    whole = b"".join(pieces).decode(errors="replace")
    ends = [place for stop in ("```", ";\n") if (place := whole.find(stop)) >= 0]
    assert shown == whole[: min(ends, default=len(whole))]


LOADER = """
import sys
from pathlib import Path
from critiql.tools.models.local.model import LocalModel
from critiql.tools.models.model import ModelError, Prompt, Sampling
from critiql.tools.models.local.runtime import LlamaRuntime
for name in sys.argv[1:]:
    print(name, flush=True)
    try:
        runtime = LlamaRuntime(Path(name))
        LocalModel(name, runtime).generate(Prompt("a", "b"), Sampling(max_tokens=2))
        runtime.close()
    except ModelError as error:
        assert str(error)
"""


def loaded(files: list[Path]) -> "subprocess.CompletedProcess[str]":
    """Load files in a process of its own, which a crash would end."""
    return subprocess.run(
        [sys.executable, "-c", LOADER, *map(str, files)], capture_output=True, text=True, check=False
    )


GGUF = st.one_of(
    st.binary(max_size=64).map(lambda rest: b"GGUF" + rest),
    st.tuples(
        st.integers(0, 4), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=64)
    ).map(
        lambda head: (
            b"GGUF"
            + head[0].to_bytes(4, "little")
            + head[1].to_bytes(8, "little")
            + head[2].to_bytes(8, "little")
            + head[3]
        )
    ),
)


@pytest.mark.slow
@settings(max_examples=4)
@given(contents=st.lists(GGUF, min_size=10, max_size=10))
def test_a_gguf_of_random_bytes_is_refused(
    contents: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("gguf")
    files = [folder / f"{number}.gguf" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    done = loaded(files)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr[-2000:]


WORDS = st.sampled_from([0, 1, 7, 2**31 - 1, 2**31, 2**32 - 1]).map(
    lambda word: word.to_bytes(4, "little")
) | (st.binary(min_size=1, max_size=8))
HEADER = 4 * 2**20
"""Bytes at the beginning of a small model's file: its description and its vocabulary."""


@pytest.mark.model
@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(
    how=st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 2**12) | st.integers(0, 2**21), WORDS), max_size=3),
            st.sampled_from([0, 0, 1, 2**20]),
        ),
        min_size=5,
        max_size=5,
    )
)
def test_a_damaged_model_is_refused_or_loads(
    how: list[tuple[list[tuple[int, bytes]], int]],
    small_model_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("gguf")
    with small_model_path.open("rb") as file:
        header = file.read(HEADER)
    files = [folder / f"{number}.gguf" for number in range(len(how))]
    for path, (changes, cut) in zip(files, how, strict=True):
        path.write_bytes(spoilt(header, changes, 0))
        with path.open("r+b") as file:
            file.truncate(small_model_path.stat().st_size - cut)  # the weights are a hole in the file
    done = loaded(files)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr[-2000:]
