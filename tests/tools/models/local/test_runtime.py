"""The runtime over a real model of 135 million parameters."""

import re
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Timer

import numpy as np
import pytest

from critiql.tools.models.cancel import CallCancelledError, cancellable, time_limit
from critiql.tools.models.local.kv_cache import CHUNK
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime, Tokens, Written
from critiql.tools.models.model import ContextOverflowError, Generation, ModelError, Sampling

pytestmark = pytest.mark.model

SHOP = "You know the tables of a shop.\n" + "\n".join(
    f"CREATE TABLE item{n} (id INTEGER PRIMARY KEY, name TEXT, price REAL);" for n in range(4)
)
MUSIC = "You know the tables of a music store.\n" + "\n".join(
    f"CREATE TABLE song{n} (id INTEGER PRIMARY KEY, title TEXT, seconds INTEGER);" for n in range(4)
)
YES_NO = [["True", " True", "true"], ["False", " False", "false"]]


@pytest.fixture(scope="module")
def shared() -> Iterator[list[LlamaRuntime]]:
    """Holds the one runtime of this module, loaded by the first test that asks for it."""
    held: list[LlamaRuntime] = []
    yield held
    for runtime in held:
        runtime.close()


@pytest.fixture
def runtime(shared: list[LlamaRuntime], small_model_path: Path) -> LlamaRuntime:
    if not shared:
        shared.append(LlamaRuntime(small_model_path, n_ctx=2048, threads=1, prefixes=PrefixStore(None, 0)))
    return shared[0]


def cold(path: Path, prefixes: PrefixStore | None = None, n_ctx: int = 2048) -> LlamaRuntime:
    """A runtime that has seen nothing."""
    return LlamaRuntime(path, n_ctx=n_ctx, threads=1, prefixes=prefixes or PrefixStore(None, 0))


def prompt(runtime: LlamaRuntime, prefix: str, suffix: str) -> Tokens:
    return Tokens(runtime.weights.tokenise(prefix), runtime.weights.tokenise(suffix))


def write(runtime: LlamaRuntime, tokens: Tokens, sampling: Sampling) -> tuple[list[str], Generation]:
    return collect(runtime.stream(tokens, sampling))


def collect(stream: Generator[str, None, Written]) -> tuple[list[str], Generation]:
    pieces = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return pieces, end.value.generation


def test_logits_after_prefix_reuse_equal_a_cold_run(runtime: LlamaRuntime, small_model_path: Path) -> None:
    for place, (prefix, question) in enumerate(
        [(SHOP, "Names?"), (SHOP, "Names of cheap items?"), (MUSIC, "Titles?"), (SHOP, "Names?"), (SHOP, "N")]
    ):
        tokens = prompt(runtime, prefix, f"\nQuestion: {question}\nAnswer:")
        warm, usage = runtime.next_token_logits(tokens)
        reference = cold(small_model_path)
        expected, cold_usage = reference.next_token_logits(tokens)
        reference.close()
        np.testing.assert_array_equal(warm, expected)
        assert cold_usage.cached_tokens == 0
        assert (usage.cached_tokens >= len(tokens.prefix)) == (place not in (0, 2))


def test_what_was_drawn_does_not_change_the_next_answer(
    runtime: LlamaRuntime, small_model_path: Path
) -> None:
    tokens = prompt(runtime, SHOP, "\nOnce upon a time")
    write(runtime, tokens, Sampling(max_tokens=40, temperature=1, seed=1))
    _, again = write(runtime, tokens, Sampling(max_tokens=20))
    reference = cold(small_model_path)
    _, expected = write(reference, tokens, Sampling(max_tokens=20))
    reference.close()
    assert (again.text, again.logprob) == (expected.text, expected.logprob)


def test_a_hidden_state_changes_neither_logits_nor_cache(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, SHOP, "\nAre there items? Answer:")
    before, _ = runtime.next_token_logits(tokens)
    cache_before = runtime._cache.snapshot()
    state = runtime.hidden_state(tokens).vector
    after, _ = runtime.next_token_logits(tokens)
    assert state.shape == (runtime.weights.embedding_size,)
    assert np.isfinite(state).all()
    assert state.std() > 0
    np.testing.assert_array_equal(before, after)
    assert runtime._cache.snapshot() == cache_before


def test_a_hidden_state_is_that_of_the_last_token(runtime: LlamaRuntime) -> None:
    one = runtime.hidden_state(prompt(runtime, SHOP, "\nThe answer is yes"))
    runtime.next_token_logits(prompt(runtime, MUSIC, "\nSomething else"))
    same = runtime.hidden_state(prompt(runtime, SHOP, "\nThe answer is yes"))
    other = runtime.hidden_state(prompt(runtime, SHOP, "\nThe answer is no"))
    np.testing.assert_array_equal(one.vector, same.vector)
    assert not np.allclose(one.vector, other.vector, atol=1e-3)
    assert 0 <= same.usage.cached_tokens < same.usage.prompt_tokens == one.usage.prompt_tokens


@pytest.mark.parametrize("how", [cancellable, time_limit], ids=["event", "deadline"])
def test_a_cold_prefill_is_cancelled_within_a_second(small_model_path: Path, how: object) -> None:
    runtime = cold(small_model_path, n_ctx=8192)
    tokens = Tokens([], runtime.weights.tokenise("word " * 7500))
    event = Event()
    Timer(0.3, event.set).start()
    with cancellable(event) if how is cancellable else time_limit(0.3):
        started = time.monotonic()
        with pytest.raises(CallCancelledError):
            runtime.next_token_logits(tokens)
    assert 0.2 < time.monotonic() - started < 1.3
    _, usage = runtime.next_token_logits(Tokens([], tokens.suffix[: 2 * CHUNK]))
    assert usage.cached_tokens == CHUNK
    runtime.close()


def test_a_cancelled_generation_keeps_what_was_written(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, SHOP, "\nOnce upon a time")
    with cancellable(Event()) as event:
        stream = runtime.stream(tokens, Sampling(max_tokens=200))
        first = next(stream)
        event.set()
        pieces, generation = collect(stream)
    assert generation.finish_reason == "cancelled"
    assert generation.text == first + "".join(pieces)
    assert 0 < generation.usage.generated_tokens < 10


def test_a_call_that_waits_can_be_cancelled(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, SHOP, "\nOnce upon a time")
    holding = runtime.stream(tokens, Sampling(max_tokens=100))
    next(holding)
    with time_limit(0.2), pytest.raises(CallCancelledError):
        runtime.next_token_logits(tokens)
    holding.close()
    assert runtime.next_token_logits(tokens)[1].prompt_tokens == len(tokens)


def test_greedy_text_and_its_log_probability(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, "", "One, two, three, four,")
    pieces, generation = write(runtime, tokens, Sampling(max_tokens=6))
    assert "".join(pieces) == generation.text
    assert "five" in generation.text
    assert generation.finish_reason == "length"
    assert generation.usage.generated_tokens == 6
    logits = runtime.next_token_logits(tokens)[0].astype(np.float64)
    first = logits.max() - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    _, single = write(runtime, tokens, Sampling(max_tokens=1))
    assert single.logprob == pytest.approx(first, abs=1e-5)
    assert generation.logprob is not None
    assert generation.logprob < single.logprob < 0


def test_stop_strings_end_the_text_before_them(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, "", "One, two, three, four,")
    _, generation = write(runtime, tokens, Sampling(max_tokens=30, stop=("six", "never")))
    assert generation.finish_reason == "stop"
    assert generation.text.strip() == "five,"


def test_the_same_seed_writes_the_same(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, SHOP, "\nOnce upon a time")
    texts = [
        write(runtime, tokens, Sampling(temperature=1.2, seed=seed, max_tokens=15))[1].text
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_grammar_is_kept_to(runtime: LlamaRuntime, temperature: float) -> None:
    grammar = 'root ::= "rows: " [0-9] [0-9] ("." | "!")'
    tokens = prompt(runtime, SHOP, "\nHow many rows?")
    for seed in range(3):
        how = Sampling(temperature=temperature, seed=seed, grammar=grammar, max_tokens=20)
        _, generation = write(runtime, tokens, how)
        assert generation.finish_reason == "stop"
        assert generation.text[:6] == "rows: "
        assert generation.text[6:8].isdigit()
        assert generation.text[8:] in (".", "!")


def test_an_invalid_grammar_is_a_model_error(runtime: LlamaRuntime) -> None:
    with pytest.raises(ModelError, match="GBNF"):
        write(runtime, prompt(runtime, "", "x"), Sampling(grammar="root := oops"))


def test_choices_are_read_over_the_whole_vocabulary(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, SHOP, "\nIs the sky blue? True or False? Answer:")
    reading = runtime.choose(tokens, YES_NO)
    assert all(logprob < 0 for logprob in reading.logprobs)
    assert sum(map(np.exp, reading.logprobs)) < 1
    logits = runtime.next_token_logits(tokens)[0].astype(np.float64)
    probabilities = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    firsts = {runtime.weights.tokenise(spelling)[0] for spelling in YES_NO[0]}
    assert reading.logprobs[0] == pytest.approx(np.log(probabilities[sorted(firsts)].sum()), abs=1e-4)


def test_a_token_that_two_choices_share_says_nothing(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, "", "One, two, three, four,")
    alone = runtime.choose(tokens, [[" five"], [" six"]])
    shared = runtime.choose(tokens, [[" five", " seven"], [" six", " seven"]])
    assert shared.logprobs == pytest.approx(alone.logprobs)
    with pytest.raises(ModelError, match="token of their own"):
        runtime.choose(tokens, [[" five"], [" five"]])


def test_a_prompt_that_does_not_fit_says_so(runtime: LlamaRuntime) -> None:
    tokens = prompt(runtime, "", "word " * 2040)
    with pytest.raises(ContextOverflowError, match="2048"):
        write(runtime, tokens, Sampling(max_tokens=20))
    with pytest.raises(ContextOverflowError):
        runtime.next_token_logits(prompt(runtime, "", "word " * 3000))


def test_two_threads_get_the_answers_one_would(runtime: LlamaRuntime) -> None:
    prompts = [prompt(runtime, part, f"\nStory {n}: once") for n in range(3) for part in (SHOP, MUSIC)]

    def text(tokens: Tokens) -> str:
        return write(runtime, tokens, Sampling(max_tokens=8))[1].text

    expected = [text(tokens) for tokens in prompts]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(text, prompts)) == expected


def test_a_prefix_on_disk_spares_the_next_process_its_prefill(small_model_path: Path, tmp_path: Path) -> None:
    logits = []
    for already_there in (False, True):
        runtime = cold(small_model_path, PrefixStore(tmp_path, 10**9))
        tokens = prompt(runtime, SHOP, "\nQuestion?")
        values, usage = runtime.next_token_logits(tokens)
        runtime.close()
        logits.append(values)
        assert usage.cached_tokens == (len(tokens.prefix) if already_there else 0)
    np.testing.assert_array_equal(*logits)


def test_a_state_llama_refuses_is_rebuilt(small_model_path: Path, tmp_path: Path) -> None:
    first = cold(small_model_path, PrefixStore(tmp_path, 10**9))
    tokens = prompt(first, SHOP, "\nQuestion?")
    expected, _ = first.next_token_logits(tokens)
    first.close()
    (file,) = tmp_path.iterdir()
    PrefixStore(tmp_path, 10**9).put(file.stem, b"not a state of llama.cpp" * 100)
    second = cold(small_model_path, PrefixStore(tmp_path, 10**9))
    rebuilt, usage = second.next_token_logits(tokens)
    second.close()
    np.testing.assert_array_equal(rebuilt, expected)
    assert usage.cached_tokens == 0
    assert file.stat().st_size > 10**5


def test_switching_between_databases_decodes_no_schema_again(runtime: LlamaRuntime) -> None:
    for _ in range(2):
        for part in (SHOP, MUSIC):
            tokens = prompt(runtime, part, "\nQuestion?")
            _, usage = runtime.next_token_logits(tokens)
    assert usage.cached_tokens == len(tokens.prefix)


def test_an_interrupt_in_the_middle_spoils_nothing(
    runtime: LlamaRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = prompt(runtime, SHOP, "\nOnce upon a time")
    _, expected = write(runtime, tokens, Sampling(max_tokens=8))
    decode, calls = runtime._cache.decode, []

    def interrupted(drawn: list[int]) -> None:
        decode(drawn)
        calls.append(drawn)
        if len(calls) == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runtime._cache, "decode", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(runtime, tokens, Sampling(max_tokens=8))
    _, after = write(runtime, tokens, Sampling(max_tokens=8))
    assert (after.text, after.logprob) == (expected.text, expected.logprob)


def test_a_damaged_file_is_a_model_error(small_model_path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    content = small_model_path.read_bytes()
    for data, says in [
        (content[: len(content) // 2], "cannot be loaded: .*file bounds"),
        (content[:100], "cannot be loaded"),
        (b"GGUF" + b"\xff" * 1000, "cannot be loaded"),
        (b"<html>", "not a GGUF file"),
        (b"", "not a GGUF file"),
    ]:
        damaged.write_bytes(data)
        with pytest.raises(ModelError, match=says):
            LlamaRuntime(damaged)
    with pytest.raises(ModelError, match="cannot be read"):
        LlamaRuntime(tmp_path / "missing.gguf")


SHORT_OF_MEMORY = """
import resource, sys
from critiql.tools.models.model import ModelError
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime, Path
import llama_cpp
with open("/proc/self/statm") as file:
    pages = int(file.read().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[2]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    LlamaRuntime(Path(sys.argv[1]), n_ctx=8192, threads=1, prefixes=PrefixStore(None, 0))
except ModelError as error:
    print(error)
"""


@pytest.mark.parametrize(("megabytes", "says"), [(20, "cannot be loaded: .*memory"), (160, "no context of")])
def test_too_little_memory_is_a_model_error(megabytes: int, says: str, small_model_path: Path) -> None:
    """Enough for nothing, and enough for the weights alone."""
    command = [sys.executable, "-c", SHORT_OF_MEMORY, str(small_model_path), str(megabytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.search(says, done.stdout), done.stdout


@pytest.mark.parametrize("failure", [MemoryError(), ModelError("llama.cpp could not decode")], ids=type)
def test_a_decode_that_fails_spoils_nothing(
    failure: Exception, runtime: LlamaRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = prompt(runtime, SHOP, "\nOnce upon a time")
    _, expected = write(runtime, tokens, Sampling(max_tokens=8))
    decode, calls = runtime._cache.decode, []

    def failing(drawn: list[int]) -> None:
        calls.append(drawn)
        if len(calls) == 4:
            raise failure
        decode(drawn)

    with monkeypatch.context() as patch:
        patch.setattr(runtime._cache, "decode", failing)
        with pytest.raises(ModelError, match=r"could not decode|ran out of memory"):
            write(runtime, tokens, Sampling(max_tokens=8))
    _, after = write(runtime, tokens, Sampling(max_tokens=8))
    assert (after.text, after.logprob) == (expected.text, expected.logprob)


def test_llama_cpp_keeps_quiet(small_model_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runtime = cold(small_model_path)
    write(runtime, prompt(runtime, "", "Hello"), Sampling(max_tokens=2))
    runtime.close()
    assert capfd.readouterr() == ("", "")


def test_a_closed_runtime_says_so(small_model_path: Path) -> None:
    runtime = cold(small_model_path)
    tokens = prompt(runtime, "", "Hello")
    runtime.close()
    with pytest.raises(ModelError, match="was closed"):
        runtime.next_token_logits(tokens)
