"""The built page is what its source gives, and its types are those of the trace."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from critiql.agent.events import EVENT

HERE = Path(__file__).parents[2]
WEB, BUILT = HERE / "web", HERE / "server" / "page"


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_pages_schema_is_that_of_the_events() -> None:
    """`make page` writes it anew."""
    assert json.loads((WEB / "events.schema.json").read_text()) == EVENT.json_schema(mode="serialization")


def test_the_page_takes_nothing_from_elsewhere() -> None:
    page = (BUILT / "index.html").read_text()
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in page
    assert "//" not in page.replace("<!doctype html>", "")
    assert "unsafe" not in page


@pytest.mark.slow
def test_the_build_is_what_the_source_gives(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or not (WEB / "node_modules").is_dir():
        pytest.skip("needs Node 20 and `npm ci` in web/: make page-check")
    for command in (["run", "types", "--", "--check"], ["run", "build", "--", "--outDir", str(tmp_path)]):
        done = subprocess.run([npm, *command], cwd=WEB, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert files(tmp_path) == files(BUILT)
