"""Train a LoRA adapter for a local model: tokens, fit, file, and whether llama.cpp agrees."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from critiql.tools.models.local.model import LocalModel, as_messages
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime, Tokens
from critiql.training.adapters.adapter_card import Compared, adapter_card, agreement
from critiql.training.adapters.adapter_file import architecture_of, write_adapter
from critiql.training.adapters.base_model import adapter_pairs, load_base, next_token_logits, with_adapter
from critiql.training.adapters.lora import Plan, TokenExample, fit_lora, loss_of, steps_of
from critiql.training.data.chat_examples import ChatExample, chat_examples
from critiql.training.data.example_file import Row
from critiql.training.data.sets import Follow

COMPARED = 8
"""Validation prompts on which llama.cpp must agree with what was fitted."""
VALIDATED = 200
"""Validation examples whose loss is read."""


def train_adapter(
    rows: Sequence[Row], plan: Plan, model: LocalModel, data: Path, out: Path, follow: Follow
) -> Row:
    """Fit an adapter and write it; stopped, the same call goes on.

    Args:
        rows: examples of one task, of both parts; see `check_parts`.
        plan: how to fit.
        model: the model it is for.
        data: the file of the examples, for the card.
        out: the GGUF to write.
        follow: for progress.

    Returns:
        The adapter's card.

    Raises:
        ValueError: the model's architecture is unknown, or a query of the data cannot be read.
        ModelError: the model failed.
    """
    path = model.runtime.weights.path
    architecture = architecture_of(path)
    examples = _in_tokens(rows, model)
    train = [one for row, one in zip(rows, examples, strict=True) if row["part"] == "train"]
    held = [one for row, one in zip(rows, examples, strict=True) if row["part"] == "validation"]
    adapted = with_adapter(load_base(path), plan.rank, plan.alpha)
    kept = out.with_name(f"{out.name}.fit.pt")
    loss = fit_lora(adapted, train, plan, kept, follow(steps_of(plan, len(train))))
    write_adapter(adapter_pairs(adapted), plan.alpha, architecture, out)
    with adapted.disable_adapter():
        before = _mean_loss(adapted, held)
    fit = {
        "model": {"name": path.name, "fingerprint": model.fingerprint},
        "plan": asdict(plan),
        "loss": round(loss, 4),
        "validation_loss": {"before": before, "after": _mean_loss(adapted, held)},
    }
    return adapter_card(rows, fit, _agreement(adapted, model, held, out), data, out)


def _in_tokens(rows: Sequence[Row], model: LocalModel) -> list[TokenExample]:
    made = {number: _tokens(example, model) for number, example in chat_examples(rows)}
    return [made[number] for number in range(len(rows))]


def _tokens(example: ChatExample, model: LocalModel) -> TokenExample:
    weights, prompt = model.runtime.weights, model.chat.tokens(as_messages(example.prompt))
    answer = (*weights.tokenise(example.answer), weights.end_token)
    return TokenExample((*prompt.prefix, *prompt.suffix), answer)


def _mean_loss(adapted: Any, held: Sequence[TokenExample]) -> float:
    """Of up to `VALIDATED` examples, spread over all of them, in nats a token."""
    adapted.eval()
    return round(fmean(float(loss_of(adapted, one).detach()) for one in _spread(held, VALIDATED)), 4)


def _agreement(adapted: Any, model: LocalModel, held: Sequence[TokenExample], adapter: Path) -> Row:
    path = model.runtime.weights.path
    with closing(LlamaRuntime(path, prefixes=PrefixStore(None, 0), adapter=adapter)) as used:
        return agreement([_compared(adapted, model, used, one) for one in _spread(held, COMPARED)])


def _compared(adapted: Any, model: LocalModel, used: LlamaRuntime, example: TokenExample) -> Compared:
    tokens = Tokens((), example.prompt)
    fitted = next_token_logits(adapted, example.prompt)
    with adapted.disable_adapter():
        fitted_plain = next_token_logits(adapted, example.prompt)
    used_logits, _ = used.next_token_logits(tokens)
    used_plain, _ = model.runtime.next_token_logits(tokens)
    return Compared(fitted, fitted_plain, used_logits, used_plain)


def _spread(examples: Sequence[TokenExample], most: int) -> Sequence[TokenExample]:
    return examples[:: max(1, -(-len(examples) // most))]
