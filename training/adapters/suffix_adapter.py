"""Train a role's adapter, which acts after the schema's prefix: tokens, fit, file, card."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from critiql.tools.errors.head import Floats
from critiql.tools.models.local.model import LocalModel, as_messages
from critiql.tools.models.local.runtime import LlamaRuntime
from critiql.tools.models.local.runtime import Tokens as LlamaTokens
from critiql.training.adapters.adapter_card import Compared, adapter_card, agreement
from critiql.training.adapters.adapter_file import architecture_of, read_adapter, write_adapter
from critiql.training.adapters.base_model import Precision, adapter_pairs, load_base, put_pairs, with_adapter
from critiql.training.adapters.suffix_attention import NAME
from critiql.training.adapters.suffix_fit import (
    Expected,
    PrefixStates,
    Progress,
    SuffixExample,
    SuffixPlan,
    Tokens,
    answer_states,
    batches_of,
    expected,
    fit_suffix,
    loss_of,
)
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
    train, held = (_in_tokens(rows, part, model) for part in ("train", "validation"))
    adapted = with_adapter(load_base(path, precision, NAME), plan.rank, plan.alpha, plan.layers)
    if start is not None:
        put_pairs(adapted, read_adapter(start, adapter_pairs(adapted), architecture))
        plan = replace(plan, start=sha256(start.read_bytes()).hexdigest())
    states = PrefixStates(adapted)
    if expect is not None:
        expect(expected(adapted, states, train, plan))
    kept = out.with_name(f"{out.name}.fit.pt")
    losses, seconds = fit_suffix(adapted, states, train, plan, kept, tell)
    invocation = common_start([one.suffix for one in (*train, *held)])
    pairs = adapter_pairs(adapted)
    write_adapter(pairs, plan.alpha, architecture, out, invocation=invocation, short=True)
    spread = _spread(held, VALIDATED)
    with adapted.disable_adapter():
        before = mean_loss(adapted, states, spread, plan)
    fit = {
        "role": rows[0]["task"],
        "acts": "after the prefix",
        "invocation_tokens": list(invocation),
        "model": {"name": path.name, "fingerprint": model.fingerprint},
        "plan": asdict(plan),
        "losses": {"first": _mean(losses[:20]), "last": _mean(losses[-20:])},
        "validation_loss": {"before": before, "after": mean_loss(adapted, states, spread, plan)},
        "hardware": _hardware(precision),
        "hours": round(seconds / 3600, 2),
    }
    return adapter_card(rows, fit, _agreement(adapted, states, model, held, out), data, out)


def mean_loss(
    adapted: Any, states: PrefixStates, examples: Sequence[SuffixExample], plan: SuffixPlan
) -> float:
    """Mean loss of the answers' tokens, in nats a token; every batch counts by its tokens."""
    adapted.eval()
    whole = tokens = 0.0
    with torch.no_grad():
        for numbers in batches_of(examples, SuffixPlan(batch=plan.batch)):
            batch = [examples[number] for number in numbers]
            weight = sum(len(one.answer) for one in batch)
            whole += weight * float(loss_of(adapted, states, batch))
            tokens += weight
    return round(whole / tokens, 4)


def common_start(suffixes: Sequence[Tokens]) -> Tokens:
    """The tokens all begin with: the chat template's after the prefix, and the request's first words."""
    first, last = min(suffixes), max(suffixes)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return tuple(token for token, _ in same)


def _agreement(
    adapted: Any, states: PrefixStates, model: LocalModel, held: Sequence[SuffixExample], adapter: Path
) -> Row:
    """Whether llama.cpp computes what was fitted, on validation prompts; one runtime with and without."""
    model.runtime.load_adapter(adapter)
    return agreement(
        [_compared(adapted, states, model.runtime, one, adapter) for one in _spread(held, COMPARED)]
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


def next_logits(adapted: Any, states: PrefixStates, example: SuffixExample) -> Floats:
    """Logits of an answer's first token, shape (vocabulary,)."""
    adapted.eval()
    with torch.no_grad():
        hidden, _ = answer_states(adapted, states.of(example.prefix), [example])
        logits = adapted.get_base_model().lm_head(hidden[:1])[0]
    return np.asarray(logits.cpu().float().numpy(), np.float32)


def _spread(examples: Sequence[SuffixExample], most: int) -> Sequence[SuffixExample]:
    return examples[:: max(1, -(-len(examples) // most))]


def _in_tokens(rows: Sequence[Row], part: str, model: LocalModel) -> list[SuffixExample]:
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
