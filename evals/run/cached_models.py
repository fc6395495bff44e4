"""The call cache in front of every model that a run may use."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import get_args

from critiql.agent.context import Context, Role
from critiql.evals.run.call_cache import CachedModel, CallCache
from critiql.tools.hiding import hide_secrets
from critiql.tools.models.factory import HOSTED, make_model, use_model
from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.files.registry import registry
from critiql.tools.models.files.store import resolve
from critiql.tools.models.hosted import HostedModel
from critiql.tools.models.local.adapter import joined_sha256, split_adapter


@contextmanager
def cached_models(context: Context, cache: CallCache) -> Iterator[list[CachedModel]]:
    """Let every model of the context answer from the cache, in this block, everywhere in the process."""
    models = [cached(spec, cache) for spec in specs(context)]
    with ExitStack() as stack:
        for model in models:
            stack.enter_context(use_model(model.name, model))
        yield models


def specs(context: Context) -> list[str]:
    """The models that the roles and the panel use, each once."""
    return list(dict.fromkeys([*map(context.spec, get_args(Role)), *context.panel]))


def cached(spec: str, cache: CallCache) -> CachedModel:
    """A model behind the cache, loaded on the first call that is not known."""
    return CachedModel(hide_secrets(spec), fingerprint(spec), lambda: make_model(spec), cache)


def fingerprint(spec: str) -> str:
    """What identifies a model, without loading it; of a registered one, without having it.

    Raises:
        ModelError: there is no such model.
    """
    if spec.startswith(HOSTED):
        return HostedModel.from_spec(spec).fingerprint
    base, adapter = split_adapter(spec)
    record = registry().find(base)
    return joined_sha256(record.sha256 if record else file_sha256(resolve(base)), adapter)[:12]
