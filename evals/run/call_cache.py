"""Every model call, kept: the same prompt, model and sampling never run twice, whichever system asks.

The key is a digest of (model fingerprint, operation, the prompt's three parts, sampling); a greedy call
ignores seed and top_p, since they do not change it. Results keep the usage of the call that made them, so
that the cost of a system is the same whether it was replayed or not; a call log says which were replayed.
One SQLite file serves several processes at once.
"""

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from critiql.evals.run.shared_sqlite import connect
from critiql.tools.hiding import hide_known_in
from critiql.tools.models.model import (
    ChoiceReading,
    Generation,
    HiddenState,
    LanguageModel,
    ModelError,
    Prompt,
    Sampling,
    Usage,
)

R = TypeVar("R", Generation, ChoiceReading)

SCHEMA = """
create table if not exists calls (
    key text primary key, model text not null, operation text not null, result text not null,
    made text not null default current_timestamp
) without rowid
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One entry of a call log."""

    key: str
    operation: str
    usage: Usage
    cached: bool
    """True when the result came from the file; `usage` is then that of the original call."""

    @property
    def costs(self) -> bool:
        """Whether the model was evaluated; counting tokens is no such call."""
        return self.operation != "count_tokens"


class CallCache:
    """The file. Safe to use from several threads and several processes."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = connect(path)
        self._connection.execute(SCHEMA)

    def get(self, key: str) -> dict[str, Any] | None:
        """The result under a key."""
        with self._lock:
            row = self._connection.execute("select result from calls where key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, key: str, model: str, operation: str, result: Mapping[str, Any]) -> None:
        """Keep a result; one that another process wrote first stays."""
        self.put_many([(key, model, operation, result)])

    def put_many(self, rows: Sequence[tuple[str, str, str, Mapping[str, Any]]]) -> int:
        """Keep (key, model, operation, result) rows in one transaction; returns how many were new."""
        values = [
            (key, model, operation, json.dumps(hide_known_in(result)))
            for key, model, operation, result in rows
        ]
        with self._lock:
            before = self._connection.total_changes
            self._connection.execute("begin immediate")
            self._connection.executemany(
                "insert or ignore into calls (key, model, operation, result) values (?, ?, ?, ?)", values
            )
            self._connection.execute("commit")
            return self._connection.total_changes - before

    def rows(self, keys: Sequence[str]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
        """The (key, model, operation, result) rows of those keys that are known."""
        for key in keys:
            with self._lock:
                row = self._connection.execute(
                    "select key, model, operation, result from calls where key = ?", (key,)
                ).fetchone()
            if row is not None:
                yield row[0], row[1], row[2], json.loads(row[3])

    def __len__(self) -> int:
        """How many calls are known."""
        with self._lock:
            return int(self._connection.execute("select count(*) from calls").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class CachedModel:
    """A language model in front of which the call cache stands. The real one is loaded on the first miss."""

    def __init__(
        self, name: str, fingerprint: str, load: Callable[[], LanguageModel], cache: CallCache
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.cache = cache
        self._load = load
        self._loading = threading.RLock()
        self._log: list[Call] = []

    @cached_property
    def _loaded(self) -> LanguageModel:
        return self._load()

    @property
    def model(self) -> LanguageModel:
        """The model behind, loaded when first needed."""
        with self._loading:
            return self._loaded

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        """As the model's; a replayed text reaches `on_text` in one piece. A cancelled one is not kept."""
        key = call_key(self.fingerprint, "generate", prompt, _sampling_parts(sampling))
        known = self.cache.get(key)
        if known is not None:
            generation = Generation(**{**known, "usage": Usage(**known["usage"])})
            if on_text is not None and generation.text:
                on_text(generation.text)
            return self._logged(key, "generate", generation, cached=True)
        generation = self.model.generate(prompt, sampling, on_text)
        if generation.finish_reason != "cancelled":
            self.cache.put(key, self.fingerprint, "generate", asdict(generation))
        return self._logged(key, "generate", generation, cached=False)

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        """As the model's."""
        key = call_key(self.fingerprint, "choose", prompt, {"choices": [list(c) for c in choices]})
        known = self.cache.get(key)
        if known is not None:
            reading = ChoiceReading(tuple(known["logprobs"]), Usage(**known["usage"]))
            return self._logged(key, "choose", reading, cached=True)
        reading = self.model.choose(prompt, choices)
        self.cache.put(key, self.fingerprint, "choose", asdict(reading))
        return self._logged(key, "choose", reading, cached=False)

    def count_tokens(self, text: str) -> int:
        """As the model's; kept too, so that a replay needs no model at all."""
        key = call_key(self.fingerprint, "count_tokens", Prompt("", text), {})
        known = self.cache.get(key)
        cached = known is not None
        if known is None:
            known = {"tokens": self.model.count_tokens(text)}
            self.cache.put(key, self.fingerprint, "count_tokens", known)
        self._note(Call(key, "count_tokens", Usage(), cached))
        return int(known["tokens"])

    def hidden_state(self, prompt: Prompt) -> HiddenState:
        """As a local model's. Kept, but in no log and no export: it is large.

        Raises:
            ModelError: the model shows no hidden states.
        """
        key = call_key(self.fingerprint, "hidden_state", prompt, {})
        known = self.cache.get(key)
        if known is None:
            read = getattr(self.model, "hidden_state", None)
            if read is None:
                raise ModelError(f"{self.name} shows no hidden states; name a local model instead.")
            state: HiddenState = read(prompt)
            vector = np.asarray(state.vector, dtype=np.float32)
            known = {"state": b64encode(vector.tobytes()).decode(), "usage": asdict(state.usage)}
            self.cache.put(key, self.fingerprint, "hidden_state", known)
        # files of before tell no usage
        usage = Usage(**known.get("usage", {}))
        return HiddenState(np.frombuffer(b64decode(known["state"]), dtype=np.float32), usage)

    def drain(self) -> list[Call]:
        """The calls since the last time, oldest first."""
        with self._loading:
            log, self._log = self._log, []
        return log

    def _logged(self, key: str, operation: str, result: R, *, cached: bool) -> R:
        self._note(Call(key, operation, result.usage, cached))
        return result

    def _note(self, call: Call) -> None:
        with self._loading:
            self._log.append(call)


def call_key(fingerprint: str, operation: str, prompt: Prompt, arguments: Mapping[str, Any]) -> str:
    """Digest of a call: 32 hex digits of the SHA-256 of everything that decides its result."""
    parts = [fingerprint, operation, prompt.prefix, prompt.request, prompt.opening, arguments]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _sampling_parts(sampling: Sampling) -> dict[str, Any]:
    """What of the sampling decides the text."""
    parts = asdict(sampling)
    if sampling.temperature == 0:
        del parts["seed"], parts["top_p"]
    return parts
