"""The action language: what a query does, one typed step after another, in the order in which it happens.

A `Trajectory` is a sequence of named frames, each a sequence of steps; the last frame is the result. A frame
that another one uses stands before it, and is referred to by its name, held in the tree as an `exp.Var`.
After SHARE (arXiv 2506.00391, action trajectories), with a closed vocabulary and explicit joins.
"""

from dataclasses import dataclass

from sqlglot import exp

Node = exp.Expr
"""An expression or a source: a sqlglot tree in which every nested query is replaced by a frame's name."""

RESULT = "res"
"""The name of the last frame."""


@dataclass(frozen=True)
class Define:
    """Give a frame a name that scans may use: a common table expression. Text: `cte(recent AS (df1))`."""

    definition: exp.CTE
    recursive: bool = False
    """True for the first definition of a WITH RECURSIVE."""


@dataclass(frozen=True)
class Scan:
    """Read a table, a frame or a table function. Text: `scan(singer AS s)`, `scan(df1 AS d)`."""

    source: Node


@dataclass(frozen=True)
class Values:
    """Rows written out. Text: `values((1, 'a'), (2, 'b'))`."""

    rows: exp.Values


@dataclass(frozen=True)
class Join:
    """Combine every row with its partners. Text: `.join(album AS a, how = left, on = t.album_id = a.id)`."""

    source: Node
    how: str = ""
    """Words such as `left`, `natural left`, `cross`; `comma` for FROM a, b; empty for a plain JOIN."""
    on: Node | None = None
    using: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Filter:
    """Keep the rows that fulfil one condition. Text: `.where(s.age > 20)`."""

    condition: Node


@dataclass(frozen=True)
class Group:
    """Gather rows of equal keys. Text: `.groupby(s.country)`."""

    clause: exp.Group


@dataclass(frozen=True)
class Having:
    """Keep the groups that fulfil one condition. Text: `.having(COUNT(*) > 3)`."""

    condition: Node


@dataclass(frozen=True)
class Window:
    """Name a window for later use. Text: `.window(w AS (PARTITION BY s.country))`."""

    definition: Node


@dataclass(frozen=True)
class Qualify:
    """Keep the rows whose window functions fulfil a condition. Text: `.qualify(ROW_NUMBER() OVER w = 1)`."""

    condition: Node


@dataclass(frozen=True)
class Aggregate:
    """One output row per group, or one in all. Text: `.agg(s.country, COUNT(*) AS n)`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Project:
    """The output columns, computed row by row. Text: `.select(s.name, s.age)`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Distinct:
    """Drop repeated rows. Text: `.distinct()`, in PostgreSQL also `.distinct(s.country)`."""

    on: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Start:
    """Begin with the rows of an earlier frame, to combine them. Text: the frame's name."""

    frame: Node
    """An `exp.Var`, or an `exp.Subquery` of one where SQL writes parentheses."""


@dataclass(frozen=True)
class Combine:
    """A set operation with another frame. Text: `.union_all(df2)`."""

    operator: str
    """union, union_all, intersect, intersect_all, except, except_all."""
    frame: Node


@dataclass(frozen=True)
class Sort:
    """Order the rows. Text: `.orderby(n DESC, s.name)`."""

    keys: tuple[Node, ...]


@dataclass(frozen=True)
class Skip:
    """Leave out the first rows. Text: `.offset(10)`."""

    count: exp.Offset


@dataclass(frozen=True)
class Take:
    """Keep the first rows of what is left. Text: `.limit(3)`."""

    count: Node
    """An `exp.Limit` or an `exp.Fetch`."""


Step = (
    Define
    | Scan
    | Values
    | Join
    | Filter
    | Group
    | Having
    | Window
    | Qualify
    | Aggregate
    | Project
    | Distinct
    | Start
    | Combine
    | Sort
    | Skip
    | Take
)

ORDER: tuple[type[Step], ...] = (
    Define,
    Scan,
    Join,
    Filter,
    Group,
    Having,
    Window,
    Qualify,
    Aggregate,
    Project,
    Distinct,
    Sort,
    Skip,
    Take,
)
"""The order of steps in a frame that reads sources."""

COMBINE_ORDER: tuple[type[Step], ...] = (Define, Start, Combine, Sort, Skip, Take)
"""The order of steps in a frame that combines frames."""

OPERATORS: dict[str, tuple[type[exp.SetOperation], bool]] = {
    "union": (exp.Union, True),
    "union_all": (exp.Union, False),
    "intersect": (exp.Intersect, True),
    "intersect_all": (exp.Intersect, False),
    "except": (exp.Except, True),
    "except_all": (exp.Except, False),
}
"""Per set operation its node and whether it drops repeated rows."""


@dataclass(frozen=True)
class Frame:
    """A named sequence of steps: one SELECT or one chain of set operations."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Trajectory:
    """A query as frames; each uses only frames before it."""

    frames: tuple[Frame, ...]
    dialect: str = "sqlite"

    @property
    def names(self) -> frozenset[str]:
        """The frames' names."""
        return frozenset(frame.name for frame in self.frames)

    def frame(self, name: str) -> Frame:
        """The frame of that name; `KeyError` when there is none."""
        for frame in self.frames:
            if frame.name == name:
                return frame
        raise KeyError(name)


@dataclass(frozen=True)
class Problem:
    """Why a text, a JSON value, an edit or a query is no trajectory; a sentence a model can act on."""

    message: str
    line: int | None = None
    """Line of the printed trajectory, from 1."""
    action: str | None = None

    def __str__(self) -> str:
        place = ", ".join(
            part for part in (f"line {self.line}" if self.line else "", self.action or "") if part
        )
        return f"{place}: {self.message}" if place else self.message
