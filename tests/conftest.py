"""Fixtures every test may use: an empty home, a small database, and a model that follows a script."""

import asyncio
import gc
import io
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from langgraph.pregel import _retry

from critiql.tools.models.factory import use_model
from critiql.tools.models.model import ChoiceReading, Generation, HiddenState, Prompt, Sampling, Usage
from critiql.tools.settings import settings

os.environ["LANGSMITH_TRACING"] = "false"
# With so many modules loaded, looking for cycles took a tenth of the time.
gc.set_threshold(100_000, 50, 100)

BIRD = Path(__file__).parent / "fixtures/evals/bird"

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
BOTH: dict[str, Any] = {"deadline": None, "suppress_health_check": SLOW}
hypothesis.register_profile("quick", max_examples=15, derandomize=True, database=None, **BOTH)
hypothesis.register_profile("fuzz", max_examples=100, **BOTH)
hypothesis.load_profile("fuzz" if os.environ.get("FUZZ_MINUTES") else "quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-snapshots` writes what is rendered now; the change is then reviewed in the diff."""
    parser.addoption("--update-snapshots", action="store_true", help="Write the snapshots anew.")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Wherever a property stands, it is no quick test: its time is that of the examples it draws."""
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        item.add_marker("fuzz")


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end, and need not be looked through for cycles."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    """The interpreter's own clearing up looks at everything again; llama_cpp leaves two files open for it."""
    gc.unfreeze()
    utils = sys.modules.get("llama_cpp._utils")
    for name in ("outnull_file", "errnull_file"):
        getattr(utils, name, io.BytesIO()).close()


_homes = count()


@pytest.fixture(autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Caches, stores and settings go to a folder of the test's own, never to the developer's home.

    It is made by who writes into it: most tests do not, and removing thousands of folders takes seconds.
    """
    home = tmp_path_factory.getbasetemp() / f"home-{next(_homes)}"
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    monkeypatch.setenv("CRITIQL_MEMORY", str(home / "verified"))
    settings.cache_clear()
    yield home
    settings.cache_clear()


@cache
def _impatient() -> dict[str, SimpleNamespace]:
    """The modules by which LangGraph waits, waiting for nothing."""
    at_once: dict[Any, Any] = {time: lambda _seconds: None, asyncio: lambda _seconds: asyncio.sleep(0)}
    return {
        module.__name__: SimpleNamespace(**vars(module) | {"sleep": nap}) for module, nap in at_once.items()
    }


@pytest.fixture(autouse=True)
def no_wait_between_tries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """LangGraph tries a node again at once, except in tests with real models and servers."""
    if any(request.node.get_closest_marker(marker) for marker in ("model", "server", "slow")):
        return
    for name, impatient in _impatient().items():
        monkeypatch.setattr(_retry, name, impatient)


class ScriptedModel:
    """Answers from a list of texts and a list of P(True), and keeps what it was asked."""

    name = "scripted"
    fingerprint = "scripted"

    def __init__(
        self, texts: Sequence[str] = (), truths: Sequence[float] | Callable[[Prompt], float] = ()
    ) -> None:
        self.texts = list(texts)
        self.truths = truths if callable(truths) else list(truths)
        self.asked: list[tuple[str, Prompt, Sampling | None]] = []

    def generate(self, prompt: Prompt, sampling: Sampling, on_text: Any = None) -> Generation:
        self.asked.append(("generate", prompt, sampling))
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if on_text:
            on_text(text)
        return Generation(text, "stop", -1.0, Usage(100, 80, 10, 0.01))

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        import math

        self.asked.append(("choose", prompt, None))
        if callable(self.truths):
            value = self.truths(prompt)
        else:
            value = self.truths.pop(0) if len(self.truths) > 1 else self.truths[0]
        others = [(1 - value) / (len(choices) - 1)] * (len(choices) - 1)
        logprobs = tuple(math.log(max(each, 1e-9)) for each in (value, *others))
        return ChoiceReading(logprobs, Usage(100, 90, 0, 0.01))

    def count_tokens(self, text: str) -> int:
        return len(text) // 4


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedModel]]:
    """Make a scripted model and put it under the name `scripted` for the test."""
    managers: list[Any] = []

    def make(texts: Sequence[str] = (), truths: Any = ()) -> ScriptedModel:
        model = ScriptedModel(texts, truths)
        manager = use_model("scripted", model)
        manager.__enter__()
        managers.append(manager)
        return model

    yield make
    for manager in reversed(managers):
        manager.__exit__(None, None, None)


@pytest.fixture
def head_file(tmp_path: Path) -> Path:
    """An error-token head of the scripted model: a hidden state that is 1 at place k means row k."""
    import numpy as np

    from critiql.agent.detect.prompt import detector_digest
    from critiql.tools.errors.head import ROWS, Head

    half = np.full(ROWS, 0.5, np.float32)
    head = Head(np.eye(ROWS, dtype=np.float32) * 10, half * -10, half, "scripted", detector_digest())
    head.save(tmp_path / "scripted.safetensors")
    return tmp_path / "scripted.safetensors"


@pytest.fixture
def showing() -> Callable[..., None]:
    """Let a scripted model show a hidden state: for each prompt the rows of the head that hold."""
    import numpy as np

    from critiql.tools.errors.head import ROWS

    def show(model: Any, rows: Callable[[Prompt], Sequence[int]]) -> None:
        def hidden_state(prompt: Prompt) -> HiddenState:
            model.asked.append(("hidden_state", prompt, None))
            vector = np.zeros(ROWS, np.float32)
            vector[list(rows(prompt))] = 1
            return HiddenState(vector, Usage(200, 150, 0, 0.02))

        model.hidden_state = hidden_state

    return show


@pytest.fixture
def bird(tmp_path: Path) -> Path:
    """A folder in BIRD's layout: one small database, six questions of our own, and their gold queries."""
    folder = tmp_path / "bird"
    database = folder / "dev_databases/bank/bank.sqlite"
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript((BIRD / "bank.sql").read_text("utf-8"))
    shutil.copy(BIRD / "dev.json", folder)
    rows = json.loads((BIRD / "dev.json").read_text("utf-8"))
    (folder / "dev_gold.sql").write_text("".join(f"{row['SQL']}\t{row['db_id']}\n" for row in rows), "utf-8")
    return folder


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of two tables and five rows, made once."""
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT, country TEXT);
        CREATE TABLE item (
          id INTEGER PRIMARY KEY, title TEXT, price REAL, maker_id INTEGER REFERENCES maker(id));
        INSERT INTO maker VALUES (1, 'Alder', 'Norway'), (2, 'Birch', 'Peru');
        INSERT INTO item VALUES (1, 'chair', 20.0, 1), (2, 'table', 80.0, 1), (3, 'lamp', 15.5, 2);
        """
    )
    connection.close()
    return path


@pytest.fixture
def shop(shop_file: Path) -> Iterator[Path]:
    """The shop that all tests read, so that its process and its schema are kept from test to test."""

    def state() -> list[tuple[str, int]]:
        return [(file.name, file.stat().st_mtime_ns) for file in shop_file.parent.iterdir()]

    before = state()
    yield shop_file
    assert state() == before, "this test needs own_shop"


@pytest.fixture
def own_shop(shop_file: Path, tmp_path: Path) -> Path:
    """A shop of the test's own, to change and to lay files beside."""
    return Path(shutil.copy(shop_file, tmp_path))
