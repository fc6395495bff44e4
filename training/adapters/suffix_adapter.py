"""Train a role's adapter, which acts after the schema's prefix: tokens, fit, file, card."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from critiql.tools.models.local.model import LocalModel, as_messages
from critiql.tools.models.local.runtime import LlamaRuntime
from critiql.tools.models.local.runtime import Tokens as LlamaTokens
from critiql.training.adapters.adapter_card import Compared, adapter_card, agreement
from critiql.training.adapters.adapter_file import Architecture, architecture_of, read_adapter, write_adapter
from critiql.training.adapters.base_model import Precision, adapter_pairs, load_base, put_pairs, with_adapter
from critiql.training.adapters.suffix_attention import NAME
from critiql.training.adapters.suffix_examples import SuffixExample, common_start, spread
from critiql.training.adapters.suffix_fit import Expected, Progress, SuffixPlan, expected, fit_suffix
from critiql.training.adapters.suffix_loss import PrefixStates, mean_loss, next_logits
from critiql.training.data.chat_examples import ChatExample, chat_examples
from critiql.training.data.example_file import Row

COMPARED = 8
"""Validation prompts on which llama.cpp must agree with what was fitted."""
VALIDATED = 120
"""Validation examples whose loss is read."""


def train_suffix_adapter(
    rows: Sequence[Row],
    plan: SuffixPlan,
    model: LocalModel,
    data: Path,
    out: Path,
    precision: Precision,
    tell: Callable[[Progress], None] = lambda _: None,
    start: Path | None = None,
    expect: Callable[[Expected], None] | None = None,
) -> Row:
    """Fit an adapter that acts after the prefix, and write it; stopped, the same call goes on.

    Args:
        rows: examples of one role, of both parts.
        plan: how to fit.
        model: the model it is for.
        data: the file of the examples, for the card.
        out: the GGUF to write.
        precision: of the model's weights while it is fitted; the adapter has 32 bits.
        tell: called after each step.
        start: the adapter to go on from; None for a fresh one.
        expect: told how long the fit will take, before it begins; what it raises ends it.

    Returns:
        The adapter's card.

    Raises:
        ValueError: the model's architecture is unknown, a query of the data cannot be read, or the adapter to
            start from has another shape.
        ModelError: the model failed.
    """
    path = model.runtime.weights.path
    architecture = architecture_of(path)
    train, held = (in_tokens(rows, part, model) for part in ("train", "validation"))
    adapted = with_adapter(load_base(path, precision, NAME), plan.rank, plan.alpha, plan.layers)
    plan = plan if start is None else _begun_from(start, adapted, architecture, plan)
    states = PrefixStates(adapted)
    if expect is not None:
        expect(expected(adapted, states, train, plan))
    kept = out.with_name(f"{out.name}.fit.pt")
    losses, seconds = fit_suffix(adapted, states, train, plan, kept, tell)
    invocation = common_start([one.suffix for one in (*train, *held)])
    pairs = adapter_pairs(adapted)
    write_adapter(pairs, plan.alpha, architecture, out, invocation=invocation, short=True)
    fit = {
        "role": rows[0]["task"],
        "acts": "after the prefix",
        "invocation_tokens": list(invocation),
        "model": {"name": path.name, "fingerprint": model.fingerprint},
        "plan": asdict(plan),
        "losses": {"first": _mean(losses[:20]), "last": _mean(losses[-20:])},
        "validation_loss": _held_losses(adapted, states, held, plan.batch),
        "hardware": _hardware(precision),
        "hours": round(seconds / 3600, 2),
    }
    return adapter_card(rows, fit, compare_programs(adapted, states, model, held, out), data, out)


def _begun_from(start: Path, adapted: Any, architecture: Architecture, plan: SuffixPlan) -> SuffixPlan:
    """Give the model an adapter's weights to go on from; the plan that names it."""
    put_pairs(adapted, read_adapter(start, adapter_pairs(adapted), architecture))
    return replace(plan, start=sha256(start.read_bytes()).hexdigest())


def _held_losses(adapted: Any, states: PrefixStates, held: Sequence[SuffixExample], batch: int) -> Row:
    """Mean loss of the validation examples without and with the adapter, in nats a token."""
    some = spread(held, VALIDATED)
    with adapted.disable_adapter():
        before = mean_loss(adapted, states, some, batch)
    return {"before": before, "after": mean_loss(adapted, states, some, batch)}


def compare_programs(
    adapted: Any, states: PrefixStates, model: LocalModel, held: Sequence[SuffixExample], adapter: Path
) -> Row:
    """Whether llama.cpp computes what was fitted, on validation prompts; one runtime with and without."""
    model.runtime.load_adapter(adapter)
    return agreement(
        [_compared(adapted, states, model.runtime, one, adapter) for one in spread(held, COMPARED)]
    )


def _compared(
    adapted: Any, states: PrefixStates, runtime: LlamaRuntime, example: SuffixExample, adapter: Path
) -> Compared:
    fitted = next_logits(adapted, states, example)
    with adapted.disable_adapter():
        fitted_plain = next_logits(adapted, states, example)
    used, _ = runtime.next_token_logits(LlamaTokens(example.prefix, example.suffix, adapter))
    used_plain, _ = runtime.next_token_logits(LlamaTokens(example.prefix, example.suffix))
    return Compared(fitted, fitted_plain, used, used_plain)


def in_tokens(rows: Sequence[Row], part: str, model: LocalModel) -> list[SuffixExample]:
    """The examples of one part as the runtime asks them."""
    mine = [row for row in rows if row["part"] == part]
    made = {number: tokens_of(example, model) for number, example in chat_examples(mine)}
    return [made[number] for number in range(len(mine))]


def tokens_of(example: ChatExample, model: LocalModel) -> SuffixExample:
    """An example as the runtime asks it: prefix and suffix are tokenised apart."""
    weights, prompt = model.runtime.weights, model.chat.tokens(as_messages(example.prompt))
    answer = (*weights.tokenise(example.answer), weights.end_token)
    return SuffixExample(tuple(prompt.prefix), tuple(prompt.suffix), answer)


def _hardware(precision: Precision) -> Row:
    graphics = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if graphics else torch.cpu.get_capabilities()["cpu_name"]
    threads = torch.get_num_threads()
    return {"device": device, "threads": threads, "precision": precision, "python": platform.python_version()}


def _mean(losses: Sequence[float]) -> float:
    return round(fmean(losses), 4)
