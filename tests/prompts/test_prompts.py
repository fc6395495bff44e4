"""Every prompt loads, and its rendered text is what was reviewed."""

from pathlib import Path

import pytest

from critiql import prompts

SNAPSHOTS = Path(__file__).parents[1] / "fixtures/prompts"


@pytest.mark.parametrize("name", prompts.names())
def test_rendered(name: str, request: pytest.FixtureRequest) -> None:
    prompt = prompts.load(name)
    rendered = prompt.render(**{slot: f"<{slot}>" for slot in prompt.slots}) + "\n"
    snapshot = SNAPSHOTS / f"{name}.txt"
    if request.config.getoption("--update-snapshots"):
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        snapshot.write_text(rendered)
    assert snapshot.read_text() == rendered


def test_a_missing_slot_and_a_missing_prompt_are_errors() -> None:
    with pytest.raises(KeyError):
        prompts.load("actor").render()
    with pytest.raises(FileNotFoundError):
        prompts.load("nobody")


def test_the_digest_is_of_the_text() -> None:
    assert len(prompts.load("actor").digest) == 12
    assert prompts.load("actor").digest != prompts.load("critic").digest
