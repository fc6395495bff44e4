"""Model files from the Hugging Face hub: what a repository holds, and a file resumed where a try ended."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, Field, ValidationError

from critiql.tools.hiding import hide_secrets, know_secret
from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.registry import HubSource
from critiql.tools.models.model import ModelError

HUB = "https://huggingface.co"
_TIMEOUT = httpx.Timeout(30, connect=3)
"""A hub that cannot be reached must not keep anybody waiting: the next source is tried."""
_BLOCK = 1 << 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Lfs(BaseModel):
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class HubFile(BaseModel):
    """A file of a repository, as the hub's metadata tells of it."""

    rfilename: str
    """Its path in the repository."""
    lfs: _Lfs | None = None
    """Size and SHA-256; None for a small file, which the hub states no such hash of."""


class HubListing(BaseModel):
    """A repository of the hub at one commit; the fields are named as the hub names them."""

    sha: str = Field(pattern="^[0-9a-f]{40}$")
    siblings: list[HubFile] = []
    tags: list[str] = []
    cardData: dict[str, object] | None = None  # noqa: N815 - the hub's own name
    gguf: dict[str, object] | None = None

    @property
    def licence(self) -> str:
        """The licence that the repository states, in its words; `not stated` where it does not."""
        card = self.cardData or {}
        named = card.get("license_name") or card.get("license")
        tagged = [tag.removeprefix("license:") for tag in self.tags if tag.startswith("license:")]
        return str(named or next(iter(tagged), "not stated"))

    @property
    def context(self) -> int:
        """Tokens the model was trained for; 0 where the hub does not say."""
        length = (self.gguf or {}).get("context_length")
        return length if isinstance(length, int) else 0


def endpoint() -> str:
    """The hub's address: `HF_ENDPOINT` of the user's environment, or the public one."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def list_repository(repository: str) -> HubListing:
    """Ask the hub what a repository holds, with sizes and hashes.

    Raises:
        ModelError: there is no such repository, it is not open to this user, or the hub cannot be read.
    """
    url = f"{endpoint()}/api/models/{repository}"
    try:
        with _client() as http:
            response = http.get(url, params={"blobs": "true"})
        if response.status_code in (401, 403, 404):
            raise ModelError(
                f"The hub shows no repository {repository} (HTTP {response.status_code}). Check its name; if "
                "it is private, or its licence must be accepted on its page, set HF_TOKEN."
            )
        response.raise_for_status()
        return HubListing.model_validate_json(response.content)
    except httpx.HTTPError as error:
        reason = hide_secrets(str(error))
        raise ModelError(
            f"The hub at {hide_secrets(endpoint())} cannot be asked: {reason}. "
            "Check the network and pull again."
        ) from None
    except ValidationError:
        raise ModelError(
            f"What {hide_secrets(endpoint())} says of {repository} is not what a hub answers. "
            "Check HF_ENDPOINT."
        ) from None


def fetch(source: HubSource, partial: Partial, client: httpx.Client | None = None) -> Iterator[int]:
    """Add what is missing to the partial file; gives its size after each block.

    Raises:
        httpx.HTTPError: the hub cannot be reached, or refused.
        OSError: the disk is full.
    """
    start = partial.size()
    url = f"{endpoint()}/{source.repository}/resolve/{source.revision}/{quote(source.file)}"
    headers = {"Range": f"bytes={start}-"} if start else {}
    with (
        _hidden_errors(),
        client or _client() as http,
        http.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # everything is there already
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        yield from partial.append(response.iter_bytes(_BLOCK), start if resumed else 0)


def _client() -> httpx.Client:
    """A client that says the user's token to the hub alone: httpx drops it where another host takes over."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=True, headers=_token())


def _token() -> dict[str, str]:
    """The header with `HF_TOKEN`; none without one, and none over a line that others can read."""
    token = os.environ.get("HF_TOKEN", "")
    know_secret(token)
    parts = urlsplit(endpoint())
    safe = parts.scheme == "https" or parts.hostname in _LOOPBACK
    return {"Authorization": f"Bearer {token}"} if token and safe else {}


@contextmanager
def _hidden_errors() -> Iterator[None]:
    """Let no address with its signature or password stand in an error: a hub redirects to such ones."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        status, host = error.response.status_code, error.request.url.host
        closed = status in (401, 403)
        why = ": accept its licence on its page, and set HF_TOKEN" if closed else ""
        raise httpx.HTTPError(f"HTTP {status} from {host}{why}") from None
