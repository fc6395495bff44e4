"""What 1,000 questions of a run cost in money, per role."""

from collections.abc import Mapping
from typing import Any

from critiql.agent.context import DEFAULT_MODEL
from critiql.agent.models import FIELDS
from critiql.evals.metrics.cost import Cost, RoleCost
from critiql.tools.models.prices import PriceTable, Used, charge, is_hosted, price_table

UNKNOWN = "unknown"


def money_cells(settings: Mapping[str, Any], cost: Cost, table: PriceTable | None = None) -> dict[str, str]:
    """The money of each role, and of `all`: hosted models alone, unless the table prices an hour here.

    Args:
        settings: those of the run that differ from their defaults; they name the roles' models.
        cost: tokens and seconds per role.
        table: prices, by default those of this machine.
    """
    prices = table or price_table()
    amounts = {role: _amount(role, settings, found, prices) for role, found in cost.roles.items()}
    counted = [amount for amount in amounts.values() if amount != ""]
    known = [amount for amount in counted if isinstance(amount, float)]
    total: float | str = (sum(known) if len(known) == len(counted) else UNKNOWN) if counted else ""
    return {role: _text(amount, prices) for role, amount in {**amounts, "all": total}.items()}


def model_of(role: str, settings: Mapping[str, Any]) -> str:
    """The model that a role had in a run."""
    named = settings.get(FIELDS.get(role, "model")) or settings.get("model")
    return str(named or DEFAULT_MODEL)


def _amount(role: str, settings: Mapping[str, Any], found: RoleCost, prices: PriceTable) -> float | str:
    """Money, `unknown`, or nothing for a local model that costs seconds."""
    models = {model_of(role, settings)}
    if role == "llm_critic":
        models |= set(settings.get("panel", ()))
    if len(models) > 1:
        return UNKNOWN if any(map(is_hosted, models)) else ""
    spent = found.per_thousand()
    used = Used(spent.tokens_in, spent.tokens_cached, spent.tokens_out, spent.seconds)
    charged = charge(models.pop(), used, prices)
    if charged.money is not None:
        return charged.money
    return UNKNOWN if charged.hosted else ""


def _text(amount: float | str, prices: PriceTable) -> str:
    return amount if isinstance(amount, str) else f"{amount:.2f} {prices.currency}"
