"""Names for what a query shows, by which a query around it can take them."""

from collections.abc import Collection, Sequence

from sqlglot import exp

from critiql.tools.errors.links import identifier


def output_names(items: Sequence[exp.Expr], but: Collection[str] = ()) -> list[exp.Identifier]:
    """A name for each shown item: its own, with a number where another one has it.

    Args:
        items: of a select list.
        but: names, case-folded, that are not given.
    """
    taken = set(but)
    names: list[exp.Identifier] = []
    for item in items:
        own = item.alias or (item.name if isinstance(item, exp.Column) else "") or "value"
        wanted = (own, *(f"{own}_{number}" for number in range(2, len(items) + 2)))
        name = next(each for each in wanted if each.casefold() not in taken)
        taken.add(name.casefold())
        names.append(identifier(name).copy())
    return names
