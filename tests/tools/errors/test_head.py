"""The error-token head: constrained to its tokens, fitted, calibrated, kept with what it belongs to."""

from pathlib import Path

import numpy as np
import pytest

from critiql.tools.arrays import Floats
from critiql.tools.errors.head import NULL, ROWS, Head, HeadError, init_rows, load
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.training.head.head_fit import NEVER, calibrate, fit, labels

WIDTH = 24
KEYS = ["value_error", "join_error"]


def examples(n: int, seed: int) -> tuple[Floats, list[list[str]]]:
    """Hidden states in which two directions mean two errors, in noise."""
    rng = np.random.default_rng(seed)
    flags = rng.random((n, 2)) < 0.3
    hidden = rng.normal(size=(n, WIDTH)).astype(np.float32)
    hidden[:, 3] += 3 * flags[:, 0]
    hidden[:, 7] += 3 * flags[:, 1]
    return 5 + 2 * hidden, [[key for key, on in zip(KEYS, row, strict=True) if on] for row in flags]


@pytest.fixture(scope="module")
def head() -> Head:
    hidden, types = examples(600, 0)
    fitted = fit(hidden, labels(types), model="m1", prompt="p1")
    held, held_types = examples(300, 1)
    return calibrate(fitted, held, labels(held_types))


def test_labels_say_the_null_token_when_nothing_is_wrong() -> None:
    targets = labels([[], ["value_error", "join_error"]])
    assert targets.shape == (2, ROWS)
    assert targets[0].nonzero()[0].tolist() == [NULL]
    assert targets[1].nonzero()[0].tolist() == [7, 15]


def test_everything_but_the_tokens_in_use_has_probability_zero(head: Head) -> None:
    distribution = head.softmax(examples(5, 2)[0])
    assert distribution.sum(axis=-1) == pytest.approx(np.ones(5), abs=1e-5)
    assert not distribution[:, len(ERROR_TYPES) + 1 :].any()
    assert not head.probabilities(examples(5, 2)[0])[:, len(ERROR_TYPES) + 1 :].any()


def test_it_learns_several_errors_at_once(head: Head) -> None:
    hidden, types = examples(400, 3)
    said = [sorted(key for key, _ in head.detect(row)) for row in hidden]
    agree = np.mean([one == sorted(two) for one, two in zip(said, types, strict=True)])
    assert agree > 0.7
    assert any(len(one) == 2 for one in said)


def test_the_null_token_decides_and_the_nearest_type_is_named(head: Head) -> None:
    [hidden] = examples(1, 9)[0]
    quiet, loud = (Head(head.weights, head.bias, head.thresholds.copy()) for _ in range(2))
    quiet.thresholds[NULL] = 0.0
    assert quiet.detect(hidden) == []
    loud.thresholds[NULL] = 1.0
    loud.thresholds[[7, 15]] = 1.0
    [(key, probability)] = loud.detect(hidden)
    best = max((7, 15), key=lambda row: head.probabilities(hidden)[row])
    assert (key, probability) == (ERROR_TYPES[best - 1].key, pytest.approx(head.probabilities(hidden)[best]))


def test_a_type_far_less_probable_than_another_is_not_said() -> None:
    weights = np.zeros((ROWS, 3), np.float32)
    weights[1], weights[2], weights[3] = (4, 0, 0), (0, 4, 0), (0, 0, 4)
    thresholds = np.full(ROWS, 0.1, np.float32)
    thresholds[NULL] = 1
    head = Head(weights, np.zeros(ROWS, np.float32), thresholds)
    said = head.detect(np.array([1, 0.0, -0.45], np.float32))
    keys = [error.key for error in ERROR_TYPES[:3]]
    assert [key for key, _ in said][:2] == keys[:2]
    assert keys[2] not in dict(said)
    assert said[1][1] == 0.5


def test_the_null_token_judges_correctness(head: Head) -> None:
    hidden, types = examples(400, 4)
    right = np.array([not keys for keys in types])
    scores = head.correct(hidden)
    pairs = scores[right][:, None] > scores[~right][None, :]
    assert pairs.mean() > 0.9


def test_a_type_without_examples_is_never_said(head: Head) -> None:
    assert head.thresholds[1] == pytest.approx(NEVER)
    assert all(key in KEYS for row in examples(50, 5)[0] for key, _ in head.detect(row))


def test_a_threshold_keeps_the_precision_asked_for() -> None:
    hidden, types = examples(600, 6)
    targets = labels(types)
    strict = calibrate(fit(hidden, targets), hidden, targets, precision=0.95)
    for key, number in zip(KEYS, (7, 15), strict=True):
        probabilities = strict.probabilities(hidden)
        said = (probabilities[:, number] >= strict.thresholds[number]) & (
            probabilities[:, NULL] < strict.thresholds[NULL]
        )
        assert said.any()
        assert targets[said, number].mean() >= 0.95, key


def test_the_same_data_gives_the_same_head() -> None:
    hidden, types = examples(100, 7)
    one, two = (fit(hidden, labels(types)) for _ in range(2))
    assert np.array_equal(one.weights, two.weights)


def test_a_strong_penalty_stays_at_the_initial_rows() -> None:
    hidden, types = examples(100, 8)
    start = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float32)
    held = fit(hidden, labels(types), start=start, l2=1e6)
    assert np.allclose(held.weights, start, atol=1e-3)


def test_saved_and_loaded_it_is_the_same(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "heads" / "head.safetensors"
    head.save(path)
    again = load(path, model="m1", prompt="p1")
    assert np.array_equal(again.weights, head.weights)
    assert np.array_equal(again.thresholds, head.thresholds)


@pytest.mark.parametrize("other", [{"model": "m2"}, {"prompt": "p2"}])
def test_a_head_of_another_model_or_prompt_is_refused(
    other: dict[str, str], head: Head, tmp_path: Path
) -> None:
    head.save(tmp_path / "head.safetensors")
    with pytest.raises(HeadError, match="trained for the"):
        load(tmp_path / "head.safetensors", **other)


def test_a_file_that_is_no_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"nothing")
    for name in ("no", "absent"):
        with pytest.raises(HeadError, match="cannot be read"):
            load(tmp_path / name)


def test_hidden_states_of_another_width_are_refused(head: Head) -> None:
    with pytest.raises(HeadError, match="width 24"):
        head.logits(np.zeros(5, np.float32))


def test_rows_start_at_the_mean_of_their_words() -> None:
    known = {word: np.full(3, float(len(word)), np.float32) for e in ERROR_TYPES for word in e.keywords}
    known |= {"correct": np.ones(3, np.float32)}
    rows = init_rows(known.get)
    assert rows.shape == (ROWS, 3)
    assert rows[7, 0] == pytest.approx(np.mean([len(word) for word in ERROR_TYPES[6].keywords]))
    assert rows[NULL, 0] == 1.0
    assert not rows[len(ERROR_TYPES) + 1 :].any()


def test_a_model_that_knows_none_of_the_words_is_an_error() -> None:
    with pytest.raises(HeadError, match="none of the words"):
        init_rows({}.get)
