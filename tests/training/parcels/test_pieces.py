"""Files in pieces: put together they are what they were, and what is lost or damaged is named."""

from pathlib import Path

import pytest

from critiql.training.parcels.pieces import join, split

CONTENT = bytes(range(256)) * 10


@pytest.mark.parametrize(("size", "count"), [(1000, 3), (2560, 1), (2559, 2), (1, 2560)])
def test_pieces_make_the_file_again(tmp_path: Path, size: int, count: int) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    pieces = split(tmp_path / "file", size, tmp_path / "new" / "pieces")
    assert len(pieces) == count
    assert all((tmp_path / "new/pieces" / one.name).stat().st_size <= size for one in pieces)
    join(pieces, tmp_path / "new/pieces", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == CONTENT


def test_every_piece_that_is_lost_or_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    pieces = split(tmp_path / "file", 1000, tmp_path)
    (tmp_path / "file.00").unlink()
    (tmp_path / "file.02").write_bytes(b"other")
    with pytest.raises(
        ValueError, match=r"file\.00 is missing, file\.02 is damaged in .*Carry it there again"
    ):
        join(pieces, tmp_path, tmp_path / "again")
    assert not (tmp_path / "again").exists()
