"""What the refiner is told of a typed error beside its name: ErrorLLM, table 3, leaves out one at a time."""

from typing import Literal, get_args

Guide = Literal["places", "guidelines", "schema", "priority", "repairs"]
"""places: where in the query, with the facts code knows; guidelines: the type's own; schema: the part that is
concerned; priority: errors in the order of repair; repairs: repairs of such errors on other databases."""
GUIDES: tuple[Guide, ...] = get_args(Guide)
