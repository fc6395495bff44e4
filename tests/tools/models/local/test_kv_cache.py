from pathlib import Path

import pytest

from critiql.tools.models.local.kv_cache import CHUNK, chunks_of


@pytest.mark.parametrize("prefix", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
@pytest.mark.parametrize("suffix", [0, 1, CHUNK, CHUNK + 1])
def test_chunks_cover_the_prompt_and_none_crosses_the_seam(prefix: int, suffix: int) -> None:
    tokens = list(range(prefix + suffix))
    chunks = chunks_of(tokens[:prefix], tokens[prefix:])
    assert [token for chunk in chunks for token in chunk.tokens] == tokens
    assert all(0 < len(chunk.tokens) <= CHUNK for chunk in chunks)
    assert not any(chunk.tokens[0] < prefix <= chunk.tokens[-1] for chunk in chunks)


def test_the_chunks_of_a_prefix_do_not_depend_on_what_follows() -> None:
    prefix = list(range(2 * CHUNK + 5))
    alone = chunks_of(prefix, [])
    assert chunks_of(prefix, [1, 2, 3])[: len(alone)] == alone


def test_a_suffix_s_chunks_are_another_adapter_s_but_the_prefix_is_shared() -> None:
    plain, actor, critic = (chunks_of([1, 2], [3, 4], on) for on in (None, Path("actor"), Path("critic")))
    assert plain[0] == actor[0] == critic[0]
    assert len({plain[1], actor[1], critic[1]}) == 3
