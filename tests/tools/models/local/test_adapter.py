"""Adapters over a model: how they are named, and what they do to the real small one."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from critiql.tools.models.factory import fingerprint_of, make_model
from critiql.tools.models.local import adapter as adapters
from critiql.tools.models.local.adapter import (
    SHIPPED,
    joined_sha256,
    split_adapter,
    verify_shipped,
)
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime, Tokens
from critiql.tools.models.model import ModelError
from critiql.training.adapters.adapter_file import Pair, architecture_of, write_adapter

NAMES = [
    ("qwen2.5-coder-1.5b-instruct", None),
    ("small+detector.gguf", "detector.gguf"),
    ("small+/a/b+c.gguf", None),
    ("/m/a.gguf+/x/b.gguf", "/x/b.gguf"),
    ("/m/a+b.gguf", None),
    ("/m/A.GGUF+b.GGUF", "b.GGUF"),
    ("+b.gguf", None),
    ("small+detector", None),
]
WIDTH, INNER = 576, 1536
RANK = 4


@pytest.mark.parametrize(("name", "adapter"), NAMES)
def test_a_plus_sign_joins_a_model_and_its_adapter(name: str, adapter: str | None) -> None:
    base, found = split_adapter(name)
    assert found == (Path(adapter) if adapter else None)
    assert base == (name if adapter is None else name[: -len(adapter) - 1])


def test_an_adapter_that_comes_along_is_named_by_its_role() -> None:
    small = "qwen2.5-coder-0.5b-instruct"
    assert split_adapter(f"{small}+actor") == (small, SHIPPED / f"{small}.actor.gguf")
    for other in (f"{small}+refiner", "/m/a.gguf+actor", "openai:x+actor"):
        assert split_adapter(other) == (other, None)


def test_an_adapter_that_comes_along_is_held_to_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = "qwen2.5-coder-0.5b-instruct+actor"
    verify_shipped(named)
    monkeypatch.setattr(adapters, "SHIPPED", tmp_path)
    verify_shipped("qwen2.5-coder-0.5b-instruct")
    with pytest.raises(ModelError, match=r"actor.gguf cannot be read: No such file"):
        verify_shipped(named)
    (tmp_path / "qwen2.5-coder-0.5b-instruct.actor.gguf").write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"actor.gguf is damaged. Install critiql again."):
        verify_shipped(named)


def test_a_model_is_another_one_with_each_adapter(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"a")
    (tmp_path / "b.gguf").write_bytes(b"b")
    hashes = {joined_sha256("m", adapter) for adapter in (None, tmp_path / "a.gguf", tmp_path / "b.gguf")}
    assert len(hashes) == 3
    assert joined_sha256("m", None) == "m"
    with pytest.raises(ModelError, match=r"adapter .*none.gguf cannot be read: No such file"):
        joined_sha256("m", tmp_path / "none.gguf")


def adapter(model: Path, out: Path, strength: float, width: int = WIDTH, alpha: float = RANK) -> Path:
    rng = np.random.default_rng(1)
    pair = Pair(
        rng.normal(size=(RANK, INNER)).astype(np.float32) / INNER**0.5,
        (strength * rng.normal(size=(width, RANK))).astype(np.float32),
    )
    write_adapter({"model.layers.4.mlp.down_proj": pair}, alpha, architecture_of(model), out)
    return out


def logits(model: Path, over: Path | None) -> np.ndarray:
    with closing(LlamaRuntime(model, 256, 1, PrefixStore(None, 0), over)) as runtime:
        tokens = runtime.weights.tokenise("SELECT name FROM singers WHERE", begin=True)
        return runtime.next_token_logits(Tokens((), tokens))[0]


@pytest.mark.model
def test_an_adapter_adds_and_an_empty_one_changes_nothing(small_model_path: Path, tmp_path: Path) -> None:
    plain = logits(small_model_path, None)
    assert (logits(small_model_path, adapter(small_model_path, tmp_path / "zero.gguf", 0.0)) == plain).all()
    strong = logits(small_model_path, adapter(small_model_path, tmp_path / "strong.gguf", 10.0))
    assert np.abs(strong - plain).mean() > 0.1
    weighed = adapter(small_model_path, tmp_path / "weighed.gguf", 5.0, alpha=2 * RANK)
    assert (logits(small_model_path, weighed) == strong).all()


@pytest.mark.model
def test_a_model_with_an_adapter_is_loaded_by_its_joined_name(small_model_path: Path, tmp_path: Path) -> None:
    name = f"smollm2-135m-instruct+{adapter(small_model_path, tmp_path / 'a.gguf', 1.0)}"
    told = fingerprint_of(name)
    model: Any = make_model(name)
    assert (model.name, model.fingerprint) == (name, told)
    plain: Any = make_model("smollm2-135m-instruct")
    assert told != plain.fingerprint
    assert model.runtime is not plain.runtime
    assert make_model(name).runtime is model.runtime  # type: ignore[attr-defined]


@pytest.mark.model
def test_what_is_no_adapter_of_the_model_is_refused(small_model_path: Path, tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    wide = adapter(small_model_path, tmp_path / "wide.gguf", 1.0, WIDTH * 2)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(wide.read_bytes()[:3000])
    for file, why in (
        (tmp_path / "none.gguf", "cannot be read"),
        (tmp_path / "text.gguf", "is not a GGUF file"),
        (wide, "cannot be put on SmolLM2|gave up on it"),
        (cut, "cannot be put on SmolLM2|gave up on it"),
        (small_model_path, "cannot be put on SmolLM2|gave up on it"),
    ):
        with pytest.raises(ModelError, match=why):
            make_model(f"smollm2-135m-instruct+{file}")
