"""A smaller base: the commonest tokens with their merges and rows, and everything else as it was."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter
from typer.testing import CliRunner

from critiql.evals.studies.smaller_base import BYTES, app, summarise
from critiql.tools.models.files.gguf_copy import close

TEXT = 4
"""Merges of the whole vocabulary."""
CONTROL, PADDING = 3, 5
ROWS = np.arange((BYTES + TEXT + 3) * 2, dtype=np.float32).reshape(-1, 2)
"""Bytes, what merges make, two tokens of control and one that fills up."""


def whole_model(path: Path, merges: list[str]) -> None:
    """The smallest file with a byte-pair vocabulary."""
    writer = GGUFWriter(path, "llama")
    writer.add_uint32("llama.block_count", 1)
    made = ["ab", "abc", "cd", "abcd"]
    tokens = [f"<{number}>" for number in range(BYTES)] + made + ["<begin>", "<end>", "[PAD]"]
    writer.add_array("tokenizer.ggml.tokens", tokens)
    writer.add_array("tokenizer.ggml.token_type", [1] * (BYTES + TEXT) + [CONTROL, CONTROL, PADDING])
    writer.add_array("tokenizer.ggml.merges", merges)
    writer.add_uint32("tokenizer.ggml.eos_token_id", BYTES + TEXT + 1)
    for name in ("token_embd.weight", "output.weight"):
        writer.add_tensor(name, ROWS)
    writer.add_tensor("output_norm.weight", ROWS[0])
    close(writer)


def test_the_first_merges_and_what_has_a_use_are_kept(tmp_path: Path) -> None:
    whole_model(tmp_path / "whole.gguf", ["a b", "ab c", "c d", "ab cd"])
    done = CliRunner().invoke(
        app, ["cut", str(tmp_path / "whole.gguf"), str(tmp_path / "cut.gguf"), "--tokens", str(BYTES + 2)]
    )
    assert done.exit_code == 0, done.output
    cut = GGUFReader(tmp_path / "cut.gguf")
    told = {key.split(".")[-1]: field.contents() for key, field in cut.fields.items()}
    assert told["tokens"][BYTES:] == ["ab", "abc", "<begin>", "<end>"]
    assert told["token_type"][BYTES:] == [1, 1, CONTROL, CONTROL]
    assert told["merges"] == ["a b", "ab c"]
    assert told["tokens"][told["eos_token_id"]] == "<end>"
    assert told["block_count"] == 1
    kept = [*range(BYTES + 2), BYTES + TEXT, BYTES + TEXT + 1]
    rows = {tensor.name: np.asarray(tensor.data) for tensor in cut.tensors}
    assert (rows["token_embd.weight"] == ROWS[kept]).all()
    assert (rows["output.weight"] == ROWS[kept]).all()
    assert (rows["output_norm.weight"] == ROWS[0]).all()


def test_a_vocabulary_in_another_order_is_refused(tmp_path: Path) -> None:
    whole_model(tmp_path / "whole.gguf", ["c d", "a b", "ab c", "ab cd"])
    done = CliRunner().invoke(app, ["cut", str(tmp_path / "whole.gguf"), str(tmp_path / "cut.gguf")])
    assert done.exit_code == 2
    assert "not in the order of their merges" in " ".join(done.output.split())
    assert not (tmp_path / "cut.gguf").exists()


def test_ratios_are_round_by_round() -> None:
    told = summarise({"whole": [(0.010, 0.040), (0.020, 0.080)], "cut": [(0.010, 0.020), (0.020, 0.060)]})
    assert told["cut"] == {
        "read": {"ms": 15.0, "ratio": 1.0},
        "written": {"ms": 40.0, "ratio": pytest.approx(0.625)},
    }
