from pathlib import Path

import pytest

from critiql.tools.models.local.chat_format import Message, Segment, render, tokenise
from critiql.tools.models.local.weights import Weights
from critiql.tools.models.model import ModelError

pytestmark = pytest.mark.model

CHAT = [Message("system", "S"), Message("user", "U")]


@pytest.fixture
def weights(small_model_path: Path) -> Weights:
    return Weights(small_model_path)


def test_chatml_is_written_around_the_messages(weights: Weights) -> None:
    expected = [
        Segment("<|im_start|>system\n", True),
        Segment("S", False),
        Segment("<|im_end|>\n<|im_start|>user\n", True),
        Segment("U", False),
        Segment("<|im_end|>\n<|im_start|>assistant\n", True),
    ]
    assert render(weights, CHAT, "chatml") == expected
    assert render(weights, CHAT) == expected
    weights.close()


def test_other_templates_keep_the_order_of_messages(weights: Weights) -> None:
    for template in ("llama3", "gemma", "phi3", "mistral-v7"):
        texts = [text for text, from_template in render(weights, CHAT, template) if not from_template]
        assert texts == ["S", "U"]
    weights.close()


def test_an_unknown_template_is_a_model_error(weights: Weights) -> None:
    with pytest.raises(ModelError, match="template"):
        render(weights, CHAT, "no such template")
    weights.close()


def test_segments_are_tokenised_apart(weights: Weights) -> None:
    tokens = tokenise(weights, [Segment("ab", False), Segment("cd", False)], begin=False)
    assert tokens == weights.tokenise("ab") + weights.tokenise("cd")
    weights.close()
