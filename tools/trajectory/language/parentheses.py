"""Parentheses around a lone OR that gets company: without them AND would bind its last term."""

from sqlglot import exp

from critiql.tools.trajectory.language.actions import Filter, Frame, Having, Qualify, Step
from critiql.tools.trajectory.language.decompile import LOOSE


def parenthesised(frame: Frame) -> Frame:
    """The frame with every OR that stands beside another condition of its kind in parentheses."""
    kinds = [type(step) for step in frame.steps]
    steps = [_wrapped(step) if kinds.count(type(step)) > 1 else step for step in frame.steps]
    return Frame(frame.name, tuple(steps))


def _wrapped(step: Step) -> Step:
    if isinstance(step, (Filter, Having, Qualify)) and isinstance(step.condition, LOOSE):
        return type(step)(exp.Paren(this=step.condition.copy()))
    return step
