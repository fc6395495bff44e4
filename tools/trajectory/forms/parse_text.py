"""The printed form -> trajectory. Errors name the line and the action.

    program  = { frame } ;
    frame    = NAME "=" [ "for_each" "(" names ")" "." ] first { "." call } ;
    first    = call | NAME | "(" NAME ")" ;
    call     = ACTION "(" [ argument { "," argument } ] ")" ;
    argument = SQL | ("how" | "on" | "using") "=" SQL | "recursive" ;

docs/TRAJECTORY.md has the whole grammar. Line breaks and indentation are free.
"""

from dataclasses import dataclass, field

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from critiql.tools.sql.dialect import dialect_of
from critiql.tools.trajectory.language.actions import OPERATORS, Frame, Problem, Step, Trajectory
from critiql.tools.trajectory.language.check import check_form
from critiql.tools.trajectory.language.fields import LISTS, OPTIONS, SINGLES, Arguments
from critiql.tools.trajectory.language.parentheses import parenthesised
from critiql.tools.trajectory.language.template import read_step

OPENERS = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
CLOSERS = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}


@dataclass(frozen=True)
class Call:
    """One action as it is written: its name and the pieces between its commas."""

    action: str
    pieces: tuple[str, ...]
    line: int


@dataclass
class _Reader:
    """The tokens of a text and how far they are read."""

    text: str
    tokens: list[Token]
    at: int = 0
    names: set[str] = field(default_factory=set)

    def kind(self, ahead: int = 0) -> TokenType | None:
        index = self.at + ahead
        return self.tokens[index].token_type if index < len(self.tokens) else None

    def line(self) -> int:
        return self.tokens[min(self.at, len(self.tokens) - 1)].line


class _TextError(Exception):
    """Carries a problem up to the function that returns it as data."""

    def __init__(self, problem: Problem):
        super().__init__(problem.message)
        self.problem = problem


def parse_text(text: str, dialect: str = "sqlite") -> Trajectory | Problem:
    """Read a printed trajectory.

    Returns:
        The trajectory, or the first problem with its line and action.
    """
    frames = parse_frames(text, dialect)
    if isinstance(frames, Problem):
        return frames
    trajectory = Trajectory(tuple(parenthesised(frame) for frame in frames), dialect)
    return check_form(trajectory) or trajectory


def parse_frames(text: str, dialect: str = "sqlite") -> list[Frame] | Problem:
    """Read frames without asking whether they are used, or whether their steps are in order."""
    frames: list[Frame] = []
    try:
        reader = _reader(text, dialect)
        while reader.kind() is not None:
            frames.append(_frame(reader, dialect))
    except _TextError as error:
        return error.problem
    return frames


def parse_call(text: str, dialect: str, names: set[str]) -> tuple[Step, ...] | Problem:
    """Read one action on its own, with or without the dot before it: what an edit holds."""
    try:
        reader = _reader(text.strip().removeprefix("."), dialect)
        reader.names = names
        steps = _first(reader, dialect)
        if reader.kind() is not None:
            raise _TextError(Problem(f"one action was expected; {_here(reader)!r} follows it"))
    except _TextError as error:
        return error.problem
    return steps


def _reader(text: str, dialect: str) -> _Reader:
    try:
        tokens = dialect_of(dialect).tokenize(text)
    except TokenError as error:
        # the tokenizer's message quotes the whole text; its first clause says what is wrong
        reason = str(error).split(" from ")[0].splitlines()[0]
        raise _TextError(Problem(f"the text cannot be split into words: {reason}", line=1)) from error
    if not tokens:
        raise _TextError(Problem("the text is empty; a trajectory has at least `res = scan(table)`", line=1))
    return _Reader(text, tokens)


def _frame(reader: _Reader, dialect: str) -> Frame:
    line = reader.line()
    if reader.kind(1) is not TokenType.EQ:
        raise _TextError(Problem(f"a frame begins with a name and =, not with {_here(reader)!r}", line))
    name = reader.tokens[reader.at].text
    if name in reader.names:
        raise _TextError(Problem(f"there is already a frame {name}; choose another name", line))
    reader.at += 2
    if _here(reader).lower() == "for_each":
        _call(reader)
        _expect_dot(reader)
    steps = list(_first(reader, dialect))
    while reader.kind() is TokenType.DOT:
        reader.at += 1
        begins = _here(reader) in reader.names or reader.kind() is TokenType.L_PAREN
        steps += _first(reader, dialect) if begins else _step(_call(reader), dialect, reader.names)
    reader.names.add(name)
    return Frame(name, tuple(steps))


def _expect_dot(reader: _Reader) -> None:
    if reader.kind() is not TokenType.DOT:
        raise _TextError(Problem("for_each(..) is followed by . and the frame's first action", reader.line()))
    reader.at += 1


def _first(reader: _Reader, dialect: str) -> tuple[Step, ...]:
    """A frame's first step: a call, or an earlier frame's name, perhaps in parentheses."""
    depth = 0
    while reader.kind(depth) is TokenType.L_PAREN:
        depth += 1
    if depth == 0 and reader.kind(1) is TokenType.L_PAREN:
        return _step(_call(reader), dialect, reader.names)
    line = reader.line()
    if reader.kind(depth) is None:
        raise _TextError(Problem("the frame has no action", line))
    name = reader.tokens[reader.at + depth].text
    reader.at += 2 * depth + 1
    frame = "(" * depth + name + ")" * depth
    return _step(Call("frame", (frame,), line), dialect, reader.names)


def _call(reader: _Reader) -> Call:
    line, action = reader.line(), _here(reader).lower()
    if reader.kind(1) is not TokenType.L_PAREN:
        raise _TextError(Problem(f"an action is a name and parentheses, not {_here(reader)!r}", line))
    reader.at += 2
    pieces: list[str] = []
    begin, depth = reader.at, 1
    while True:
        kind = reader.kind()
        if kind is None:
            raise _TextError(Problem("the parenthesis is never closed", line, action))
        depth += (kind in OPENERS) - (kind in CLOSERS)
        if depth == 0 or (depth == 1 and kind is TokenType.COMMA):
            pieces.append(_slice(reader, begin, reader.at))
            begin = reader.at + 1
        reader.at += 1
        if depth == 0:
            return Call(action, tuple(pieces) if pieces != [""] else (), line)


def _slice(reader: _Reader, begin: int, end: int) -> str:
    if begin == end:
        return ""
    return reader.text[reader.tokens[begin].start : reader.tokens[end - 1].end + 1]


def _here(reader: _Reader) -> str:
    return reader.tokens[reader.at].text if reader.at < len(reader.tokens) else "the end"


def _step(call: Call, dialect: str, names: set[str]) -> tuple[Step, ...]:
    given = _named(call)
    found = given if isinstance(given, Problem) else read_step(call.action, given, dialect, names)
    if isinstance(found, Problem):
        raise _TextError(Problem(found.message, call.line, call.action))
    return found


def _named(call: Call) -> Arguments | Problem:
    """The pieces by name: `how = left` by its own, the others under the action's main argument."""
    if "" in call.pieces:
        return Problem("an argument is missing between two commas")
    options = OPTIONS.get(call.action, ())
    given: Arguments = {}
    rest: list[str] = []
    for piece in call.pieces:
        name, sign, value = piece.partition("=")
        word = name.strip().lower()
        if word == "recursive" and word in options:
            given[word] = True
        elif sign and word in options:
            given[word] = _parts(value.strip()) if word == "using" else value.strip()
        else:
            rest.append(piece)
    return _with_main(call.action, rest, given)


def _with_main(action: str, rest: list[str], given: Arguments) -> Arguments | Problem:
    if action in LISTS:
        return {LISTS[action]: rest, **given} if rest else given
    main = SINGLES.get(action, "argument")
    if len(rest) > 1 and (action in OPERATORS or action not in ("values", "cte", "window")):
        more = " and how, on, using" if action == "join" else ""
        return Problem(f"it takes one {main}{more}, not {len(rest)}: {', '.join(rest)}")
    return {main: ", ".join(rest), **given} if rest else given


def _parts(text: str) -> list[str]:
    inner = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    return [part.strip() for part in inner.split(",")]
