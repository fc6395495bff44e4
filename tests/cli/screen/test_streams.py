"""A command whose output or input is closed, full or of a poor encoding: no stack trace."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

CRITIQL = str(Path(sys.executable).parent / "critiql")
TEXT = "中文 😀"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (TEXT,))
        connection.commit()
    return path


def shell(line: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of the shell, which opens and closes streams as it says."""
    return subprocess.run(["sh", "-c", line], capture_output=True, env={**os.environ, **more}, timeout=120)


@pytest.mark.parametrize("more", ["", "--json"])
def test_a_full_output_is_said(texts: Path, more: str) -> None:
    done = shell(f"{CRITIQL} run 'SELECT x FROM t' --db {texts} {more} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.decode().strip() == "The output could not be written: No space left on device."


def test_a_reader_that_has_enough_is_no_error(texts: Path) -> None:
    done = shell(f"{CRITIQL} run 'SELECT x FROM t' --db {texts} | head -c 1")
    assert b"Traceback" not in done.stderr


def test_rows_in_an_encoding_that_lacks_their_characters(texts: Path) -> None:
    done = shell(f"{CRITIQL} run 'SELECT x FROM t' --db {texts}", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u4e2d\u6587 \U0001f600" in done.stdout
    done = shell(f"{CRITIQL} run 'SELECT x FROM t' --db {texts} --json", PYTHONIOENCODING="latin-1")
    assert json.loads(done.stdout.decode("latin-1"))["rows"] == [[TEXT]]


CHECK = "check -"
ASK = "ask - --model none.gguf --fresh"
"""Takes three times as long, for what `main` does alike for every command."""


@pytest.mark.parametrize(
    ("command", "closed", "code"),
    [
        (CHECK, "<&-", 1),
        (CHECK, ">&- < /dev/null", 1),
        (CHECK, "2>&- < /dev/null", 1),
        (ASK, "<&- >&- 2>&-", 2),
        pytest.param(ASK, "<&-", 2, marks=pytest.mark.slow),
        pytest.param(ASK, ">&- < /dev/null", 2, marks=pytest.mark.slow),
        pytest.param(ASK, "2>&- < /dev/null", 2, marks=pytest.mark.slow),
    ],
)
def test_closed_streams(texts: Path, command: str, closed: str, code: int) -> None:
    done = shell(f"{CRITIQL} {command} --db {texts} {closed}")
    assert done.returncode == code
    assert b"Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", [CHECK, pytest.param(ASK, marks=pytest.mark.slow)])
def test_input_that_is_no_text(texts: Path, command: str) -> None:
    done = shell(f"printf '\\377\\376' | {CRITIQL} {command} --db {texts}")
    assert done.returncode in (1, 2, 4)
    assert b"Traceback" not in done.stderr
