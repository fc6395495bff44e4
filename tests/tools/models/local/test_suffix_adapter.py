"""Adapters that act after the prefix: one loaded model, one prefix state, every role its own adapter."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from critiql.tools.models.factory import make_model
from critiql.tools.models.local.after_prefix import acts_after_prefix
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime, Tokens
from critiql.tools.models.model import ModelError, Prompt, Sampling
from critiql.training.adapters.adapter_file import Pair, architecture_of, write_adapter

SMALL = "smollm2-135m-instruct"
WIDTH, RANK = 576, 4
PREFIX = "You write SQL. " + " ".join(f"CREATE TABLE t{number} (id INT, name TEXT);" for number in range(12))
SUFFIX = "\nQuestion: How many names are there in the third table, and which is the longest one of all?\nSQL:"
INVOCATION = (198, 23872)

Made = Callable[[str], Path]


@pytest.fixture
def made(small_model_path: Path, tmp_path: Path) -> Made:
    """Writes an adapter that changes much, another one for every name."""

    def write(name: str) -> Path:
        rng = np.random.default_rng(list(name.encode()))
        pair = Pair(
            rng.normal(size=(RANK, WIDTH)).astype(np.float32) / WIDTH**0.5,
            rng.normal(size=(WIDTH, RANK)).astype(np.float32),
        )
        out, modules = tmp_path / f"{name}.gguf", [f"model.layers.{n}.self_attn.q_proj" for n in (2, 9, 20)]
        architecture = architecture_of(small_model_path)
        write_adapter(dict.fromkeys(modules, pair), 4.0, architecture, out, invocation=INVOCATION, short=True)
        return out

    return write


@pytest.fixture
def runtime(small_model_path: Path) -> Any:
    """A model of its own, whose prefixes stay in memory."""
    loaded = LlamaRuntime(small_model_path, 1024, 1, PrefixStore(None, 0))
    yield loaded
    loaded.close()


def prompt(runtime: LlamaRuntime, adapter: Path | None = None, suffix: str = SUFFIX) -> Tokens:
    prefix = runtime.weights.tokenise(PREFIX, begin=True)
    return Tokens(prefix, runtime.weights.tokenise(suffix), adapter)


def test_a_file_says_that_it_acts_after_the_prefix(tmp_path: Path) -> None:
    key = b"adapter.alora.invocation_tokens"
    for name, content, acts in (
        ("list", b"GGUF" + len(key).to_bytes(8, "little") + key + (9).to_bytes(4, "little"), True),
        ("text", b"GGUF" + len(key).to_bytes(8, "little") + key + (8).to_bytes(4, "little"), False),
        ("plain", b"GGUF adapter.lora.alpha", False),
    ):
        (tmp_path / name).write_bytes(content)
        assert acts_after_prefix(tmp_path / name) is acts
    assert acts_after_prefix(tmp_path / "none") is False


@pytest.mark.model
def test_the_model_is_itself_again_after_a_switch(runtime: LlamaRuntime, made: Made) -> None:
    adapter = made("actor")
    runtime.load_adapter(adapter)
    before, _ = runtime.next_token_logits(prompt(runtime))
    adapted, usage = runtime.next_token_logits(prompt(runtime, adapter))
    after, _ = runtime.next_token_logits(prompt(runtime))
    assert (after == before).all()
    assert np.abs(adapted - before).mean() > 0.1
    assert usage.cached_tokens == len(prompt(runtime).prefix)


@pytest.mark.model
def test_it_changes_nothing_of_the_prefix(runtime: LlamaRuntime, made: Made, small_model_path: Path) -> None:
    """A warm prefix gives what a cold run gives; an adapter for the whole prompt gives another."""
    adapter = made("actor")
    runtime.load_adapter(adapter)
    cold, _ = runtime.next_token_logits(prompt(runtime, adapter))
    runtime.next_token_logits(prompt(runtime, suffix="\nAnother question."))
    warm, _ = runtime.next_token_logits(prompt(runtime, adapter))
    assert (cold == warm).all()
    whole = LlamaRuntime(small_model_path, 1024, 1, PrefixStore(None, 0), adapter)
    everywhere, _ = whole.next_token_logits(prompt(whole))
    whole.close()
    assert np.abs(everywhere - cold).mean() > 0.01


@pytest.mark.model
def test_roles_in_turn_reuse_the_prefix_and_none_of_each_other_s_suffix(
    runtime: LlamaRuntime, made: Made
) -> None:
    roles = [made("actor"), made("critic"), None]
    for adapter in filter(None, roles):
        runtime.load_adapter(adapter)
    first = [runtime.next_token_logits(prompt(runtime, adapter)) for adapter in roles]
    again = [runtime.next_token_logits(prompt(runtime, adapter)) for adapter in roles]
    kept = len(prompt(runtime).prefix)
    assert [usage.cached_tokens for _, usage in first + again] == [0, kept, kept, kept, kept, kept]
    for (one, _), (other, _) in zip(first, again, strict=True):
        assert (one == other).all()
    assert len({one.tobytes() for one, _ in first}) == len(roles)


@pytest.mark.model
def test_a_prefix_kept_by_one_role_serves_another_in_a_later_process(
    small_model_path: Path, made: Made, tmp_path: Path
) -> None:
    """The state on disk is the base model's, whoever asked for it first."""
    adapter, usages = made("actor"), []
    for over in (adapter, None, made("critic")):
        loaded = LlamaRuntime(small_model_path, 1024, 1, PrefixStore(tmp_path / "kept", 2**28))
        if over is not None:
            loaded.load_adapter(over)
        usages.append(loaded.next_token_logits(prompt(loaded, over))[1].cached_tokens)
        kept = len(prompt(loaded).prefix)
        loaded.close()
    assert usages == [0, kept, kept]


@pytest.mark.model
def test_a_hidden_state_is_the_adapter_s(runtime: LlamaRuntime, made: Made) -> None:
    adapter = made("actor")
    runtime.load_adapter(adapter)
    plain, adapted, again = (
        runtime.hidden_state(prompt(runtime, over)).vector for over in (None, adapter, None)
    )
    assert (plain == again).all()
    assert not (plain == adapted).all()


@pytest.mark.model
def test_a_switch_costs_less_than_a_millisecond(runtime: LlamaRuntime, made: Made) -> None:
    adapter, cache = made("actor"), runtime._cache
    runtime.load_adapter(adapter)
    seconds = []
    for over in (adapter, None) * 20:
        started = time.perf_counter()
        cache.wear(over)
        seconds.append(time.perf_counter() - started)
    assert median(seconds) < 1e-3


@pytest.mark.model
def test_names_with_such_adapters_share_one_loaded_model(made: Made) -> None:
    plain, actor, critic = (
        make_model(SMALL + end) for end in ("", f"+{made('actor')}", f"+{made('critic')}")
    )
    assert plain.runtime is actor.runtime is critic.runtime  # type: ignore[attr-defined]
    assert len({plain.fingerprint, actor.fingerprint, critic.fingerprint}) == 3
    asked = Prompt(PREFIX, "How many names are there?")
    texts = [one.generate(asked, Sampling(max_tokens=8)) for one in (plain, actor, critic, plain)]
    assert texts[0].text == texts[3].text
    assert texts[1].text != texts[0].text
    assert all(one.usage.cached_tokens > 100 for one in texts[1:])


@pytest.mark.model
def test_an_adapter_of_another_model_is_refused(made: Made, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(made("actor").read_bytes()[:2000])
    with pytest.raises(ModelError, match=r"cannot be put on|gave up on it"):
        make_model(f"{SMALL}+{cut}")
