"""What models cost in money: a table of prices that the user can add to, and one charge by it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from critiql.tools.settings import SettingsError, settings

HOSTED = ("openai:", "langchain:")
"""What the name of a model that runs elsewhere begins with; one given as an object counts as such."""
PER = 1_000_000
"""Tokens that a price is for."""


class Price(BaseModel):
    """Money for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Of prompt tokens that the provider had cached; None: they cost as the others."""
    output: float = Field(ge=0)


class PriceTable(BaseModel):
    """Prices in one currency, by the name a model is asked for by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field(default="USD", max_length=10)
    as_of: str = ""
    """When, or where, these were the prices."""
    local_hour: float | None = Field(default=None, ge=0)
    """What an hour of this machine costs; None: local models cost seconds, not money."""
    models: Mapping[str, Price] = {}


class Charge(NamedTuple):
    """What some calls of one model cost."""

    hosted: bool
    seconds: float
    money: float | None
    """None: not known, or not counted in money."""


class Used(NamedTuple):
    """What some calls of one model used, as the model told it."""

    prompt_tokens: float
    cached_tokens: float
    generated_tokens: float
    seconds: float


def is_hosted(model: str) -> bool:
    """Whether a model's name is one of a model that runs elsewhere."""
    return model.startswith(HOSTED)


def charge(model: str, used: Used, table: PriceTable) -> Charge:
    """What calls cost by a table. Without a price, or where no tokens were told, the money is unknown."""
    if not is_hosted(model):
        money = None if table.local_hour is None else table.local_hour * used.seconds / 3600
        return Charge(hosted=False, seconds=used.seconds, money=money)
    price = table.models.get(model)
    told = used.prompt_tokens + used.generated_tokens > 0
    if price is None or not told:
        return Charge(hosted=True, seconds=used.seconds, money=None)
    cached = price.input if price.cached is None else price.cached
    computed = used.prompt_tokens - used.cached_tokens
    money = computed * price.input + used.cached_tokens * cached + used.generated_tokens * price.output
    return Charge(hosted=True, seconds=used.seconds, money=money / PER)


def price_table() -> PriceTable:
    """The prices there are: the user's, over those that come with Critiql.

    The latter are of OpenAI's own endpoint, so they do not count where another one is set. A user's table in
    another currency stands alone.

    Raises:
        SettingsError: the user's file cannot be read.
    """
    here = settings()
    shipped = PriceTable() if here.openai_base_url else _read(Path(__file__).with_name("prices.json"))
    if here.prices is None:
        return shipped
    own = _read(here.prices)
    if own.currency != shipped.currency:
        return own
    return own.model_copy(update={"models": {**shipped.models, **own.models}})


@cache
def _read(file: Path) -> PriceTable:
    try:
        return PriceTable.model_validate_json(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"The prices in {file} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
        raise SettingsError(f"The prices in {file} cannot be read: {wrong}. See docs/MODELS.md.") from error
