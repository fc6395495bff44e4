"""The folder of files that can be made again, found without the settings where nothing names it.

Reading the settings loads pydantic, which takes longer than all of a check without a model.
"""

import os
from pathlib import Path

from platformdirs import user_cache_path

NAMED_BY = frozenset({"CRITIQL_CACHE", "CRITIQL_ENV_FILE"})
"""Environment variables, in any case, that may name another folder than the system's."""


def cache_folder() -> Path:
    """As `settings().cache`.

    Raises:
        SettingsError: the environment names the folder, and the settings cannot be read.
    """
    if NAMED_BY.isdisjoint(name.upper() for name in os.environ):
        return user_cache_path("critiql")
    from critiql.tools.settings import settings

    return settings().cache
