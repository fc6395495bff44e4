"""Try the properties (`pytest -m fuzz`) with ever new input for some minutes.

    python tests/fuzz.py [MINUTES]

Prints the cases tried of each property, and what failed; leaves with 1 where something did.
"""

import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "tests").rglob("test_fuzz.py"))
PROPERTY = re.compile(r"^(tests/\S+::\w+):$")
TRIED = re.compile(r"(\d+) passing, (\d+) failing")


def main(minutes: float) -> int:
    """Run one file of properties after the other until the time is over."""
    ends = time.monotonic() + minutes * 60
    tried: Counter[str] = Counter()
    failed: dict[str, str] = {}
    for file in cycle(FILES):
        if time.monotonic() >= ends:
            break
        output = once(file)
        property_ = ""
        for line in output.splitlines():
            if found := PROPERTY.match(line):
                property_ = found[1]
            elif property_ and (found := TRIED.search(line)):
                tried[property_] += int(found[1]) + int(found[2])
            elif line.startswith("FAILED "):
                failed[line.split(" ")[1]] = output
    report(tried, failed, minutes)
    return int(bool(failed))


def once(file: Path) -> str:
    """Run the properties of a file with a seed of their own; what pytest says."""
    seed = random.SystemRandom().randrange(2**32)
    options = ["-q", "-m", "fuzz", f"--hypothesis-seed={seed}", "--hypothesis-show-statistics"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file.relative_to(ROOT))],
        cwd=ROOT,
        env={**os.environ, "FUZZ_MINUTES": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def report(tried: Counter[str], failed: dict[str, str], minutes: float) -> None:
    """Write what was tried, then the failures whole."""
    lines = [f"{n:>8}  {name}{'  FAILED' if name in failed else ''}" for name, n in sorted(tried.items())]
    sums = (
        f"{tried.total():>8}  cases of {len(tried)} properties in {minutes:g} minutes; {len(failed)} failed"
    )
    sys.stdout.write("\n".join([*lines, sums, *dict.fromkeys(failed.values())]) + "\n")


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10))
