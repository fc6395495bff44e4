from pathlib import Path

from critiql.tools.models.files.partial import Partial


def test_a_broken_off_file_is_added_to_and_put_in_place_at_once(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "model.gguf")
    assert list(partial.append([b"abc", b"de"], at=0)) == [3, 5]
    assert list(Partial(tmp_path / "model.gguf").append([b"DEF"], at=3)) == [6]
    assert not partial.target.exists()
    partial.finish()
    assert partial.target.read_bytes() == b"abcDEF"
    assert [file.name for file in tmp_path.iterdir()] == ["model.gguf"]


def test_seams_count_only_as_far_as_the_file_reaches(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "model.gguf")
    for part in (b"one", b"two"):
        list(partial.append([part], at=partial.size()))
        partial.mark_seam()
    assert partial.seams() == [3, 6]
    list(partial.append([], at=4))
    assert partial.seams() == [3]


def test_a_damaged_record_of_seams_starts_over(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "model.gguf")
    list(partial.append([b"one"], at=0))
    partial.mark_seam()
    (tmp_path / "model.gguf.seams.json").write_text("{")
    assert partial.seams() == []


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "model.gguf")
    list(partial.append([b"one"], at=0))
    partial.mark_seam()
    partial.discard()
    assert list(tmp_path.iterdir()) == []
    assert partial.size() == 0
