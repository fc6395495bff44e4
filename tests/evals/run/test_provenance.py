import platform
import re
from pathlib import Path

import pytest

from critiql import prompts
from critiql.evals.run import provenance


def digest() -> str:
    provenance.code_digest.cache_clear()
    return provenance.code_digest()


def test_the_code_digest_changes_with_content_and_names_but_not_with_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "_folders", lambda package: iter([tmp_path]))
    (tmp_path / "a.py").write_text("x = 1")
    first = digest()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"compiled")
    assert digest() == first
    (tmp_path / "a.py").write_text("x = 2")
    second = digest()
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, digest()}) == 3
    provenance.code_digest.cache_clear()


def test_prompts_and_commit_are_named() -> None:
    assert provenance.prompt_digests()["actor"] == prompts.load("actor").digest
    assert re.fullmatch(r"[0-9a-f]{12}\+?|unknown", provenance.commit())


def test_the_machine_is_described_without_its_name() -> None:
    text = provenance.machine()
    assert re.search(r"cores: \d+, \d+ GiB, Python 3\.", text)
    assert not platform.node() or platform.node() not in text
