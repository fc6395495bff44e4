"""What an answer cost: money for hosted models, seconds for local ones, per role."""

from collections.abc import Sequence

from pydantic import BaseModel

from critiql.agent.evidence import CallRecord
from critiql.tools.models.prices import Charge, PriceTable, Used, charge, price_table


class RoleCost(BaseModel):
    """What one role, or all of them, cost; hosted and local models apart."""

    hosted_calls: int = 0
    hosted: float | None = 0.0
    """Money for hosted models; None where the price of one is unknown, or it told no tokens."""
    local_seconds: float = 0.0
    """Time in local models."""
    local: float | None = None
    """Money for local models, where the user's table says what an hour costs."""


class Cost(RoleCost):
    """What an answer cost."""

    currency: str
    prices_as_of: str
    roles: dict[str, RoleCost]
    unknown: list[str]
    """Hosted models whose money is not known."""


def cost_of(calls: Sequence[CallRecord], table: PriceTable | None = None) -> Cost:
    """Add up what calls cost, by the tokens that the models told.

    Raises:
        SettingsError: the user's table of prices cannot be read.
    """
    prices = table or price_table()
    nothing = RoleCost(local=None if prices.local_hour is None else 0.0)
    total = nothing
    roles: dict[str, RoleCost] = {}
    unknown: list[str] = []
    for call in calls:
        charged = charge(call["model"], _used(call), prices)
        roles[call["role"]] = _plus(roles.get(call["role"], nothing), charged)
        total = _plus(total, charged)
        if charged.hosted and charged.money is None:
            unknown.append(call["model"])
    return Cost(
        **total.model_dump(),
        currency=prices.currency,
        prices_as_of=prices.as_of,
        roles=roles,
        unknown=list(dict.fromkeys(unknown)),
    )


def in_words(cost: Cost) -> str:
    """One line about the money of an answer; empty where no hosted model was used."""
    if not cost.hosted_calls:
        return ""
    parts = [
        f"{role} {_money(of_role.hosted)}" for role, of_role in cost.roles.items() if of_role.hosted_calls
    ]
    known = f"{_money(cost.hosted)} {cost.currency if cost.hosted is not None else ''}".strip()
    why = f"; no price, or no tokens told, for {', '.join(cost.unknown)}" if cost.unknown else ""
    return f"hosted models cost: {known} ({', '.join(parts)}{why})"


def _money(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount:.4f}"


def _used(call: CallRecord) -> Used:
    return Used(call["prompt_tokens"], call["cached_tokens"], call["generated_tokens"], call["seconds"])


def _plus(sum_so_far: RoleCost, charged: Charge) -> RoleCost:
    """Add one charge; what is unknown once stays unknown."""
    if not charged.hosted:
        local = None if charged.money is None else (sum_so_far.local or 0.0) + charged.money
        seconds = sum_so_far.local_seconds + charged.seconds
        return sum_so_far.model_copy(update={"local_seconds": seconds, "local": local})
    known = sum_so_far.hosted is not None and charged.money is not None
    hosted = (sum_so_far.hosted or 0.0) + (charged.money or 0.0) if known else None
    return sum_so_far.model_copy(update={"hosted_calls": sum_so_far.hosted_calls + 1, "hosted": hosted})
