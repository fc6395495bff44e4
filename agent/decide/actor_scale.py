"""How likely an actor's queries are right, by how likely it held them: one small JSON file an actor.

A critic's calibration holds such a scale for the actor whose queries it judged. These are of other actors, as
smaller models and models with an adapter are, and need no critic: `critiql eval confidence` writes them.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from platformdirs import user_config_path

from critiql.agent.decide.calibration import Confidence
from critiql.agent.decide.record_files import Record, read_record, record_files, write_record

SHIPPED = Path(__file__).parent / "actor_scales"
"""Scales that come with the package."""


class ActorScale(Record):
    """The scale of one actor, and where it comes from."""

    version: Literal[1] = 1
    actor: str
    """Fingerprint of the model, its adapter included."""
    dataset: str
    run: str
    """Id of the run whose answers it was fitted on."""
    databases: int
    commit: str
    """That of the run."""
    scale: Confidence


def find_scale(actor: str, prompt: str) -> Confidence | None:
    """The scale for an actor's fingerprint and its prompt's digest; the user's own goes first."""
    return _known(SHIPPED, user_folder()).get((actor, prompt))


def user_folder() -> Path:
    """Where a user's own scales lie; it outlives the cache."""
    return user_config_path("critiql") / "actor_scales"


def read_scale(path: Path) -> ActorScale:
    """Read one file.

    Raises:
        CalibrationError: it is damaged, or of another version.
    """
    return read_record(ActorScale, path, "scale of confidence", "critiql eval confidence")


def write_scale(scale: ActorScale, path: Path) -> None:
    """Write one file and forget what was read before."""
    write_record(scale, path)
    _known.cache_clear()


@cache
def _known(*folders: Path) -> dict[tuple[str, str], Confidence]:
    """The scales in some folders by actor and prompt; a later folder goes before an earlier one."""
    scales = map(read_scale, record_files(*folders))
    return {(one.actor, one.scale.prompt): one.scale for one in scales}
