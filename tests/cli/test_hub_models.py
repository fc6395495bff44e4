"""`critiql models pull hf:...` against a hub on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import COMMIT, TOKEN, Hub, running_hub
from typer.testing import CliRunner

from critiql.cli import models
from critiql.cli.screen.exit_codes import MODEL
from critiql.cli.screen.pulling import pull_missing
from critiql.tools.models.files.store import resolve
from critiql.tools.settings import settings

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
RUNNER = CliRunner()
NAME = "hf:Some/Model-GGUF"
BLOCK = 1 << 20
"""What is written at a time; what came of a block that was not whole is asked for again."""
CONTENT = b"GGUF" + bytes(range(256)) * 10_000
FILES = {"m-q4_k_m.gguf": CONTENT, "m-q8_0.gguf": CONTENT[::-1]}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CRITIQL_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(models._out, "width", 200)
    settings.cache_clear()
    yield tmp_path / "models"
    settings.cache_clear()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub(dict(FILES)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def run(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(models.app, list(arguments))
    return result.exit_code, result.output


def test_a_model_of_the_hub_is_pulled_checked_and_found_again(hub: Hub, store: Path) -> None:
    code, output = run("pull", NAME)
    assert code == 0, output
    assert output.index("licence: apache-2.0") < output.index("is here")
    file = store / "hf" / "Some--Model-GGUF" / "m-q4_k_m.gguf"
    assert resolve(NAME) == resolve(f"{NAME}:q4_k_m") == file
    assert file.read_bytes() == CONTENT
    assert any(f"/resolve/{COMMIT}/" in path for _, path, _ in hub.asked)


def test_a_stored_model_needs_no_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    run("pull", NAME)
    asked = len(hub.asked)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert run("pull", NAME)[0] == 0
    pull_missing([NAME, f"{NAME}:Q4_K_M", "openai:m", "smollm2-135m-instruct"])
    assert len(hub.asked) == asked


def test_a_model_named_in_full_is_pulled_when_it_is_missing(hub: Hub) -> None:
    pull_missing(["smollm2-135m-instruct", f"{NAME}:Q8_0+adapter.gguf"])
    assert resolve(f"{NAME}:Q8_0").read_bytes() == CONTENT[::-1]


def test_list_verify_and_remove_know_it(hub: Hub, store: Path) -> None:
    hub.card = {"license": "other", "license_name": "qwen-research"}
    run("pull", f"{NAME}:Q8_0")
    rows = [line for line in run("list")[1].splitlines() if f"{NAME}:Q8_0" in line]
    assert [[cell.strip() for cell in row.split("│")][3:5] for row in rows] == [["qwen-research", "yes"]]
    assert "is whole" in run("verify", f"{NAME}:Q8_0")[1]
    assert "was removed" in run("remove", f"{NAME}:Q8_0")[1]
    assert NAME not in run("list")[1]
    code, output = run("verify", f"{NAME}:Q8_0")
    assert (code, f"critiql models pull {NAME}:Q8_0" in output) == (MODEL, True)


def test_a_short_name_stands_for_one(hub: Hub) -> None:
    hub.repository = "Qwen/Qwen2.5-Coder-7B-Instruct-GGUF"
    assert "told by the hub" in run("list")[1]
    assert run("pull", "qwen2.5-coder-7b-instruct")[0] == 0
    assert resolve("qwen2.5-coder-7b-instruct") == resolve("hf:Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M")
    rows = [line for line in run("list")[1].splitlines() if "coder-7b" in line]
    assert len(rows) == 1
    assert "apache-2.0" in rows[0]


def test_a_pull_that_was_broken_off_goes_on_where_it_ended(hub: Hub) -> None:
    hub.breaks_after = BLOCK + 3000
    code, output = run("pull", NAME)
    assert (code, "what arrived is kept" in output) == (MODEL, True), output
    hub.breaks_after = None
    assert run("pull", NAME)[0] == 0
    ranges = [headers["Range"] for _, _, headers in hub.asked if "Range" in headers]
    assert ranges
    assert set(ranges) == {f"bytes={BLOCK}-"}
    assert resolve(NAME).read_bytes() == CONTENT


def test_what_arrived_of_an_earlier_state_is_no_part_of_the_next(hub: Hub) -> None:
    hub.breaks_after = BLOCK + 3000
    run("pull", NAME)
    hub.breaks_after = None
    hub.files["m-q4_k_m.gguf"] = changed = b"GGUF" + CONTENT[4:][::-1]
    assert run("pull", NAME)[0] == 0
    assert resolve(NAME).read_bytes() == changed


def test_a_file_that_is_not_what_the_hub_states_is_thrown_away(hub: Hub, store: Path) -> None:
    hub.hashes["m-q4_k_m.gguf"] = "a" * 64
    code, output = run("pull", NAME)
    assert (code, "thrown away" in output) == (MODEL, True), output
    assert not list(store.rglob("*.part"))
    assert not list(store.rglob("*.gguf"))


def test_the_token_reaches_the_hub_alone_and_is_never_shown(
    hub: Hub, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.needs_token = True
    code, output = run("pull", NAME)
    assert (code, "set HF_TOKEN" in output) == (MODEL, True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    code, output = run("pull", NAME)
    assert code == 0, output
    own = hub.url.removeprefix("http://")
    told = {host for host, _, headers in hub.asked if "Authorization" in headers}
    assert told == {own}
    assert len({host for host, *_ in hub.asked}) == 2
    assert TOKEN not in output
    assert not [file for file in store.rglob("*.json") if TOKEN in file.read_text()]


def test_a_repository_without_a_card_states_no_licence(hub: Hub) -> None:
    hub.card = None
    code, output = run("pull", NAME)
    assert (code, "licence: not stated" in output) == (0, True), output


def test_a_gated_file_says_what_to_do(hub: Hub) -> None:
    hub.gated = True
    code, output = run("pull", NAME)
    assert (code, "accept its licence on its page" in output) == (MODEL, True), output


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hf:Some/Other-GGUF", "no repository Some/Other-GGUF"),
        (f"{NAME}:Q2_K", "Whole files there are: Q4_K_M, Q8_0"),
        ("hf:nonsense", "names no model of the hub"),
    ],
)
def test_what_the_hub_does_not_hold_is_a_sentence(hub: Hub, name: str, says: str) -> None:
    code, output = run("pull", name)
    assert (code, says in output, "Traceback" in output) == (MODEL, True, False), output


def test_a_hub_that_states_markup_and_control_characters_is_only_shown(hub: Hub) -> None:
    hub.card = {"license": "[red]\x1b[2Jmit"}
    code, output = run("pull", NAME)
    assert code == 0
    assert "\x1b[2J" not in output
    assert "\x1b[2J" not in run("list")[1]
    assert "[red]" in output


@pytest.mark.parametrize("listing", [{"sha": "main"}, {"sha": COMMIT, "siblings": "none"}, []])
def test_an_answer_that_is_none_of_a_hub_is_a_sentence(
    hub: Hub, listing: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "listing", lambda: listing)
    code, output = run("pull", NAME)
    assert (code, "Check HF_ENDPOINT" in output) == (MODEL, True), output


def test_a_hub_out_of_reach_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://someone:secret-word-1@127.0.0.1:9")
    code, output = run("pull", NAME)
    assert (code, "cannot be asked" in output, "secret-word" in output) == (MODEL, True, False), output
