"""What detector and refiner are told of a query; ErrorLLM's table 3 leaves out one at a time."""

from typing import Literal, get_args

Guide = Literal["places", "guidelines", "schema", "priority", "repairs"]
"""places: where in the query, with the facts code knows; guidelines: the type's own; schema: the part that is
concerned; priority: errors in the order of repair; repairs: repairs of such errors on other databases."""
GUIDES: tuple[Guide, ...] = get_args(Guide)

Part = Literal["graph", "links", "tree"]
"""graph: tables, columns, keys, example values; links: the graph is pruned to what question and query name,
and says which words name what; tree: the syntax tree with numbered nodes."""
PARTS: tuple[Part, ...] = get_args(Part)
