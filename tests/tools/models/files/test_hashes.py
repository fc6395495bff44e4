import os
from hashlib import sha256
from pathlib import Path

import pytest

from critiql.tools.models.files import hashes


def test_a_hash_is_computed_once_for_each_state_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[object] = []
    digest = hashes.file_digest
    monkeypatch.setattr(hashes, "file_digest", lambda *a: computed.append(a) or digest(*a))
    file = tmp_path / "model.gguf"
    file.write_bytes(b"one")
    assert hashes.file_sha256(file) == hashes.file_sha256(file) == sha256(b"one").hexdigest()
    assert len(computed) == 1
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert hashes.file_sha256(file) == sha256(b"two").hexdigest()
    assert hashes.file_sha256(file.rename(tmp_path / "renamed.gguf")) == sha256(b"two").hexdigest()
    assert len(computed) == 2


def test_a_damaged_memory_is_started_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "hashes.json"
    memory.write_text("[1, 2")
    monkeypatch.setattr(hashes, "_memory", lambda: memory)
    file = tmp_path / "model.gguf"
    file.touch()
    assert hashes.file_sha256(file) == sha256(b"").hexdigest()
    assert memory.read_text().startswith("{")
