"""Conditions added to a WHERE and taken out of one, in place."""

from sqlglot import exp


def drop_conjunct(clause: exp.Expr, part: exp.Expr) -> exp.Expr:
    """Take a part out of an AND chain in place; the clause goes with its last part. Gives what held it."""
    while isinstance(part.parent, exp.Paren):
        part = part.parent
    parent = part.parent
    if isinstance(parent, exp.And):
        rest = parent.expression if part is parent.this else parent.this
        parent.replace(rest)
        return clause
    holder = clause.parent
    clause.pop()
    return holder if holder is not None else clause


def add_conjunct(select: exp.Expr, part: exp.Expr) -> exp.Expr:
    """Add a condition to a SELECT's WHERE in place; gives the node that was added."""
    where = select.args.get("where")
    if where is None:
        select.set("where", exp.Where(this=part))
        return part
    old = where.this
    kept = exp.Paren(this=old.copy()) if isinstance(old, exp.Or) else old.copy()
    where.set("this", exp.And(this=kept, expression=part))
    return part
