"""Draw a real run of `critiql ask` as the terminal shows it: `make picture`.

Usage: python docs/scripts/terminal.py OUT.svg QUESTION [OPTION ...]
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 100
"""Characters in a line of the picture."""
LETTERS, TALLER = "font-size: 20px", "font-size: 21px"
"""Rich's lines are 24.4 pixels apart: at 20, or cut to its line, upright strokes do not meet."""
CUT = re.compile(
    r' clip-path="url\(#run-line-\d+\)"| *<clipPath id="run-line-\d+">.*?</clipPath>\n?', re.DOTALL
)


def run(arguments: list[str]) -> str:
    """What the command writes, trace and answer in their order, with colours.

    Raises:
        subprocess.CalledProcessError: the question was not answered.
    """
    critiql = Path(sys.executable).with_name("critiql")
    given = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    done = subprocess.run(
        [critiql, "ask", *arguments, "--fresh"],
        env=os.environ | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout.replace(str(Path.home()), "~")


def draw(command: str, output: str) -> str:
    """The picture; it fetches no font."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(output))
        picture = console.export_svg(title="critiql", unique_id="run")
    quiet = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    joined = CUT.sub("", quiet.replace(LETTERS, TALLER))
    return re.sub(r"[ \t]+$", "", joined, flags=re.MULTILINE).rstrip() + "\n"


def main() -> None:
    """Run, draw, write."""
    out, question, *options = sys.argv[1:]
    shown = " ".join(["critiql", "ask", f'"{question}"', *options])
    Path(out).write_text(draw(shown, run([question, *options])), encoding="utf-8")


if __name__ == "__main__":
    main()
