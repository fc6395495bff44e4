"""Hidden states of a local model for detector examples."""

from collections.abc import Callable, Sequence

import numpy as np

from critiql.tools.arrays import Floats
from critiql.tools.models.model import ShowsHiddenState
from critiql.training.data.chat_examples import detector_prompts
from critiql.training.data.example_file import Row


def hidden_states(
    rows: Sequence[Row], model: ShowsHiddenState, step: Callable[[], None] = lambda: None
) -> Floats:
    """Final hidden states after the detector's prompt, in the order of the rows, shape (n, d).

    Args:
        rows: detector examples.
        model: local model.
        step: called after each example, for progress.

    Raises:
        ModelError: the model failed, or shows no hidden states.
        DatabaseError: the database of an example cannot be read.
        ValueError: the query of an example cannot be read.
    """
    states: dict[int, Floats] = {}
    for number, prompt in detector_prompts(rows):
        states[number] = model.hidden_state(prompt).vector
        step()
    return np.stack([states[number] for number in range(len(rows))])
