"""The JSON form of a trajectory: frames of actions, arguments as SQL strings."""

from collections.abc import Mapping, Sequence
from typing import cast

from critiql.tools.sql.dialect import dialect_of
from critiql.tools.trajectory.language.actions import Frame, Problem, Step, Trajectory
from critiql.tools.trajectory.language.check import check_form
from critiql.tools.trajectory.language.fields import Arguments, action_name, arguments
from critiql.tools.trajectory.language.parentheses import parenthesised
from critiql.tools.trajectory.language.template import read_step

Json = dict[str, object]


def to_json(trajectory: Trajectory) -> Json:
    """The trajectory as JSON values: `{"dialect", "frames": [{"name", "steps": [{"action", ...}]}]}`."""
    return {
        "dialect": trajectory.dialect,
        "frames": [
            {"name": frame.name, "steps": [step_json(step, trajectory) for step in frame.steps]}
            for frame in trajectory.frames
        ],
    }


def step_json(step: Step, trajectory: Trajectory) -> Json:
    """One step as JSON values: its action and its arguments."""
    return {"action": action_name(step), **arguments(step, trajectory.dialect, trajectory.names)}


def from_json(value: object) -> Trajectory | Problem:
    """Read a trajectory back from its JSON form; a problem says where it is none."""
    if not isinstance(value, Mapping) or not isinstance(value.get("frames"), Sequence):
        return Problem('a trajectory is an object with "dialect" and "frames"')
    dialect = value.get("dialect", "sqlite")
    if not isinstance(dialect, str) or not _known(dialect):
        return Problem(f"there is no dialect {dialect!r}")
    frames: list[Frame] = []
    line = 1
    for entry in value["frames"]:
        frame = _frame(entry, dialect, {frame.name for frame in frames}, line)
        if isinstance(frame, Problem):
            return frame
        frames.append(frame)
        line += len(frame.steps)
    trajectory = Trajectory(tuple(parenthesised(frame) for frame in frames), dialect)
    return check_form(trajectory) or trajectory


def _known(dialect: str) -> bool:
    try:
        dialect_of(dialect)
    except ValueError:
        return False
    return True


def _frame(entry: object, dialect: str, names: set[str], line: int) -> Frame | Problem:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("steps"), Sequence) or "name" not in entry:
        return Problem('a frame is an object with "name" and "steps"', line)
    steps: list[Step] = []
    for written in entry["steps"]:
        if not isinstance(written, Mapping) or not isinstance(written.get("action"), str):
            return Problem('a step is an object with "action" and the action\'s arguments', line + len(steps))
        given = {str(key): item for key, item in written.items() if key != "action"}
        found = read_step(written["action"], cast(Arguments, given), dialect, names)
        if isinstance(found, Problem):
            return Problem(found.message, line + len(steps), found.action)
        steps += found
    return Frame(str(entry["name"]), tuple(steps))
