"""The printed form of a trajectory, after SHARE's pandas-like style: one step a line.

    df1 = scan(orders)
        .agg(AVG(total))
    res = scan(customers AS c)
        .join(orders AS o, on = o.customer_id = c.id)
        .where(o.total > scalar(df1))
        .select(c.name)

A frame that looks at the rows of the frames around it begins with `for_each(c)`, which names their aliases.
"""

from collections.abc import Collection

from critiql.tools.trajectory.language.actions import Frame, Start, Step, Trajectory
from critiql.tools.trajectory.language.fields import Arguments, action_name, arguments
from critiql.tools.trajectory.language.scope import outer_aliases

INDENT = "    "


def to_text(trajectory: Trajectory) -> str:
    """The printed form; `parse_text.parse_text` reads it back."""
    return "\n".join(trajectory_lines(trajectory))


def trajectory_lines(trajectory: Trajectory) -> list[str]:
    """The printed form, one string a line; line n is step n, counted over all frames from 1."""
    outer = outer_aliases(trajectory)
    return [
        line
        for frame in trajectory.frames
        for line in _frame_lines(frame, trajectory, outer.get(frame.name, ()))
    ]


def steps_in_order(trajectory: Trajectory) -> list[tuple[Frame, int, Step]]:
    """Every step with its frame and its index there; entry n - 1 is what line n prints."""
    return [(frame, index, step) for frame in trajectory.frames for index, step in enumerate(frame.steps)]


def step_text(step: Step, dialect: str, names: Collection[str]) -> str:
    """One step as a call, for example `where(s.age > 20)`; a frame's name for `Start`."""
    given = arguments(step, dialect, names)
    if isinstance(step, Start):
        return str(given["frame"])
    return f"{action_name(step)}({', '.join(_argument_texts(given))})"


def _argument_texts(given: Arguments) -> list[str]:
    texts: list[str] = []
    for name, value in given.items():
        if name in ("how", "on") and isinstance(value, str):
            texts.append(f"{name} = {value}")
        elif name == "using" and isinstance(value, list):
            texts.append(f"using = ({', '.join(value)})")
        elif isinstance(value, bool):
            texts.append(name)
        elif isinstance(value, list):
            texts += value
        else:
            texts.append(value)
    return texts


def _frame_lines(frame: Frame, trajectory: Trajectory, outer: Collection[str]) -> list[str]:
    calls = [step_text(step, trajectory.dialect, trajectory.names) for step in frame.steps]
    watch = f"for_each({', '.join(outer)})." if outer else ""
    return [f"{frame.name} = {watch}{calls[0]}", *(f"{INDENT}.{call}" for call in calls[1:])]
