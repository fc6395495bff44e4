"""What this process lets the network name, told to every run in it by the environment."""

import os

from pydantic import ValidationError

from critiql.agent.context import DEFAULT_MODEL
from critiql.tools.database.sample.build import sample_database
from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.served import Served, served
from critiql.tools.settings import settings

STUDIO = "https://smith.langchain.com"
"""The site of LangGraph Studio, whose pages talk to a server of this machine."""
SHORTEST_TOKEN = 16
"""Characters."""


class OfferError(CritiqlError):
    """What is to be offered cannot be. The message says what happened, why, and what to do."""

    exit_code = USAGE


def offer(given: Served) -> None:
    """Let every run of this process name what is served, and nothing else."""
    os.environ["CRITIQL_SERVED"] = given.model_dump_json()
    settings.cache_clear()


def offered() -> Served:
    """What is served by a server that somebody else starts: `langgraph dev`, or a cluster.

    Where CRITIQL_SERVED says nothing, that is the sample database with the default model, also for Studio's
    page.

    Raises:
        OfferError: CRITIQL_SERVED is not what it may be.
    """
    try:
        given = served() or Served(databases={"sample": str(sample_database())}, origins=(STUDIO,))
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'all'}: {e['msg']}" for e in error.errors())
        raise OfferError(
            f'CRITIQL_SERVED cannot be read: {said}. It is JSON: {{"databases": {{NAME: PLACE}}}}.'
        ) from None
    if not given.databases:
        raise OfferError('CRITIQL_SERVED names no database. Write {"databases": {NAME: PLACE}}.')
    checked_tokens(given.token, given.users)
    whole = given if given.models else given.model_copy(update={"models": (DEFAULT_MODEL,)})
    offer(whole)
    return whole


def checked_tokens(token: str, users: dict[str, str]) -> None:
    """Look at the tokens before anybody relies on them.

    Raises:
        OfferError: there is one for all beside those of users, one is too short, or two are the same.
    """
    if token and users:
        raise OfferError("Give either one token for all, or a token for each user.")
    if short := [name for name, own in users.items() if len(own) < SHORTEST_TOKEN]:
        raise OfferError(f"The token of {short[0]} is shorter than {SHORTEST_TOKEN} characters.")
    if len(set(users.values())) < len(users):
        raise OfferError("Two users have the same token. Give each one of their own.")
