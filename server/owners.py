"""Who owns what in the LangGraph API: each user sees the threads and runs of their own, and no others.

The server asks these rules at each request (`auth` of langgraph.json). What no rule names is refused to
users: the common store, plans for later runs, changes of assistants. Without users all is everybody's.
https://docs.langchain.com/langgraph-platform/auth
"""

from typing import Any

from langgraph_sdk import Auth

from critiql.server.auth import EVERYBODY, visitor
from critiql.tools.served import served

auth = Auth()
OWNER = "owner"
"""Name in a thread's metadata."""
CONFIG = {"path": "critiql.server.owners:auth", "disable_studio_auth": True}
"""As the LangGraph server takes it; its own entrance for Studio would ask for no token."""


@auth.authenticate
async def authenticate(headers: dict[bytes, bytes]) -> str:
    """The user of a request. The guard before has looked at it already.

    Raises:
        Auth.exceptions.HTTPException: no token of a user is there.
    """
    sent = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.items()}
    offered = served()
    who = visitor(sent, offered) if offered else EVERYBODY
    if who is None:
        raise Auth.exceptions.HTTPException(status_code=401, detail="A token is required.")
    return who


@auth.on
async def rest(ctx: Auth.types.AuthContext, value: Any) -> bool:  # noqa: ARG001 - the library's signature
    """What no other rule is about."""
    return ctx.user.identity == EVERYBODY


@auth.on.threads
async def threads(ctx: Auth.types.AuthContext, value: Any) -> dict[str, Any] | None:
    """Threads and their runs are marked with their owner when they are made, and found by that mark."""
    if ctx.user.identity == EVERYBODY:
        return None
    mine = {OWNER: ctx.user.identity}
    if value.get("metadata") is None:
        value["metadata"] = {}
    value["metadata"].update(mine)  # in place: the server reads the dictionary that it gave
    return mine


@auth.on.assistants.read
async def read_assistants(ctx: Auth.types.AuthContext, value: Any) -> bool:  # noqa: ARG001 - as above
    """Everybody may run the graphs."""
    return True


@auth.on.assistants.search
async def search_assistants(ctx: Auth.types.AuthContext, value: Any) -> bool:  # noqa: ARG001 - as above
    """Everybody may see which graphs there are."""
    return True
