"""Fitting after a prefix, on a model of a few thousand weights: it is what a whole sequence would give."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft", reason="needs the extra lora: make lora")

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from critiql.training.adapters import suffix_fit, suffix_loss
from critiql.training.adapters.base_model import ATTENTION, adapter_pairs, put_pairs, with_adapter
from critiql.training.adapters.suffix_attention import NAME
from critiql.training.adapters.suffix_examples import SuffixExample, batches_of
from critiql.training.adapters.suffix_fit import Progress, SuffixPlan, expected, fit_suffix, share_of_rate
from critiql.training.adapters.suffix_loss import PrefixStates, loss_of

PREFIXES = ((5, 6, 7, 8, 9), (11, 12, 13))
EXAMPLES = [
    SuffixExample(prefix, tuple(range(20, 22 + number)), tuple(range(40 + number, 43 + 2 * number)))
    for number in range(5)
    for prefix in PREFIXES
]
RATES = [(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (12, 0.5), (20, 0.0)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),
]


def tiny() -> Any:
    """Two blocks, four heads of which two share a key, with a fresh adapter."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation=NAME,
    )
    return with_adapter(LlamaForCausalLM(config), 2, 4.0, ATTENTION)


def stir(model: Any) -> None:
    """Give a fresh adapter weights that change something."""
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, generator=torch.Generator().manual_seed(1))


def test_over_a_prefix_s_state_the_loss_is_that_of_the_whole_sequence() -> None:
    model = tiny()
    same = [one for one in EXAMPLES if one.prefix == PREFIXES[0]]
    mine = float(loss_of(model, PrefixStates(model), same).detach())
    whole = tokens = 0.0
    for one in same:
        sequence = torch.tensor([[*one.prefix, *one.suffix, *one.answer]])
        logits = model(input_ids=sequence).logits[0, -len(one.answer) - 1 : -1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(one.answer), reduction="sum")
        whole, tokens = whole + float(losses), tokens + len(one.answer)
    assert mine == pytest.approx(whole / tokens, abs=1e-5)


def test_the_prefix_is_the_plain_model_s_and_gets_no_gradient() -> None:
    model = tiny()
    before = PrefixStates(model).of(PREFIXES[0])
    stir(model)
    after = PrefixStates(model).of(PREFIXES[0])
    for one, other in zip(before, after, strict=True):
        assert (one.keys == other.keys).all()
        assert (one.values == other.values).all()
        assert not other.keys.requires_grad
    assert before[0].keys.shape == (2, 5, 8)


def test_an_adapter_that_was_stirred_changes_the_loss_of_a_suffix() -> None:
    model = tiny()
    fresh = float(loss_of(model, PrefixStates(model), EXAMPLES[:1]).detach())
    stir(model)
    assert float(loss_of(model, PrefixStates(model), EXAMPLES[:1]).detach()) != pytest.approx(fresh)


def test_another_adapter_s_weights_are_where_a_fit_begins() -> None:
    learnt, fresh = tiny(), tiny()
    stir(learnt)
    put_pairs(fresh, adapter_pairs(learnt))
    losses = [float(loss_of(one, PrefixStates(one), EXAMPLES[:1]).detach()) for one in (learnt, fresh)]
    assert losses[0] == losses[1]
    wider = {module: one._replace(a=one.a.repeat(2, axis=0)) for module, one in adapter_pairs(learnt).items()}
    with pytest.raises(ValueError, match=r"has rank 4, the new one 2\. Name --rank 4"):
        put_pairs(fresh, wider)


def test_what_a_fit_will_take_is_measured_and_changes_nothing() -> None:
    model = tiny()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    plan = SuffixPlan(batch=2, epochs=3)
    told = expected(model, PrefixStates(model), EXAMPLES, plan)
    assert told.steps == len(batches_of(EXAMPLES, plan.batch, plan.epochs)) == 18
    assert 0 < told.step < told.seconds
    assert told.seconds == pytest.approx(told.steps * told.step + told.prefixes)
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    assert not any(one.grad is not None and one.grad.any() for one in model.parameters())


def test_a_batch_has_one_prefix_and_an_epoch_every_example_once() -> None:
    batches = batches_of(EXAMPLES, batch=2, epochs=2)
    assert len(batches) == 12
    assert all(len({EXAMPLES[one].prefix for one in batch}) == 1 for batch in batches)
    assert all(count == 2 for count in Counter(one for batch in batches for one in batch).values())
    assert batches[:6] != batches[6:]


@pytest.mark.parametrize(("step", "share"), RATES)
def test_the_rate_rises_straight_and_falls_as_a_cosine(step: int, share: float) -> None:
    assert share_of_rate(step, 20, 0.2) == pytest.approx(share)


def test_a_fit_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suffix_fit, "KEEP_EVERY", 1)
    plan = SuffixPlan(rank=2, epochs=3, batch=2, rate=1e-2)

    def fit(kept: Path, last: int = 99) -> tuple[list[float], Any]:
        model, told = tiny(), []

        def tell(progress: Progress) -> None:
            told.append(progress)
            if progress.step == last:
                raise KeyboardInterrupt

        losses, _ = fit_suffix(model, PrefixStates(model), EXAMPLES, plan, kept, tell)
        assert told[-1].left == 0
        assert told[-1].pace * len(told) == pytest.approx(told[-1].seconds)
        return losses, model.state_dict()

    whole, weights = fit(tmp_path / "whole")
    assert whole[-1] < whole[0]
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "stopped", last=7)
    again, same = fit(tmp_path / "stopped")
    assert again == whole
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    with pytest.raises(ValueError, match="state of a fit with other data or settings"):
        fit_suffix(tiny(), PrefixStates(tiny()), EXAMPLES[1:], plan, tmp_path / "whole")


def test_a_fit_that_has_no_time_left_ends_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(100))
    monkeypatch.setattr(suffix_fit.time, "perf_counter", lambda: float(next(seconds)))
    plan, model = SuffixPlan(rank=2, epochs=4, batch=1, rate=1e-2, seconds=10.0), tiny()
    losses, _ = fit_suffix(model, PrefixStates(model), EXAMPLES, plan, None)
    assert 0 < len(losses) < 10


def test_states_that_do_not_fit_are_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suffix_loss, "STATES_BYTES", 1)
    states = PrefixStates(tiny())
    first = states.of(PREFIXES[0])
    states.of(PREFIXES[1])
    again = states.of(PREFIXES[0])
    assert again is not first
    assert (again[1].values == first[1].values).all()
