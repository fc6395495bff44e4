"""critiql doctor: what it finds, what it proposes, and when it is not content."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.tools import installation
from critiql.tools.models import advice, factory
from critiql.tools.models.advice import Fit, Speed
from critiql.tools.models.files import store
from critiql.tools.models.files.registry import registry
from critiql.tools.models.local import machine
from critiql.tools.settings import settings

DEFAULT = registry().get(registry().default)


def doctor(*options: str) -> Any:
    return CliRunner().invoke(app, ["doctor", *options])


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a file of the default model's length, and 8 GB of free memory."""
    folder = tmp_path / "models"
    folder.mkdir()
    with (folder / DEFAULT.file).open("wb") as file:
        file.truncate(DEFAULT.size)
    monkeypatch.setenv("CRITIQL_MODELS", str(folder))
    monkeypatch.delenv("CRITIQL_OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(machine, "free_memory", lambda: 8_000_000_000)
    monkeypatch.setattr(factory, "_models", {})  # what another test has loaded is not tried anew
    monkeypatch.setattr(factory, "_runtimes", {})
    settings.cache_clear()
    return folder


def test_all_is_well(models: Path) -> None:
    done = doctor("--no-speed")
    said = " ".join(done.output.split())
    assert done.exit_code == 0, said
    for part in (
        "All that is needed is here",
        DEFAULT.name,
        "free memory 8.0 GB",
        "threads",
        f"best here {DEFAULT.name}",
    ):
        assert part in said
    document = json.loads(doctor("--no-speed", "--json").stdout)
    assert document["models"] == {DEFAULT.name: DEFAULT.size}
    assert (document["best"], document["speed"], document["problems"]) == (DEFAULT.name, None, [])
    assert "duckdb" in document["parts"]


def test_no_model_is_a_problem_and_its_command_is_named(models: Path) -> None:
    (models / DEFAULT.file).unlink()
    done = doctor("--no-speed")
    assert done.exit_code == 1
    assert f"critiql models pull {DEFAULT.name}" in done.output
    problems = json.loads(doctor("--no-speed", "--json").stdout)["problems"]
    assert [problem["mend"] for problem in problems] == [f"critiql models pull {DEFAULT.name}"]


def test_an_endpoint_takes_a_models_place(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (models / DEFAULT.file).unlink()
    monkeypatch.setenv("CRITIQL_OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    settings.cache_clear()
    assert doctor("--no-speed").exit_code == 0


def test_a_model_that_cannot_be_loaded_is_a_problem(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "file_sha256", lambda _: "0" * 64)  # of a gigabyte of zeros it takes seconds
    done = doctor()
    assert done.exit_code == 1
    assert "SHA-256" in done.output
    assert f"critiql models pull {DEFAULT.name}" in done.output


def test_a_missing_need_is_a_problem(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "missing_needs", lambda: ("sqlglot>=30.30",))
    done = doctor("--no-speed")
    assert done.exit_code == 1
    assert "sqlglot>=30.30" in done.output
    assert "pip install --upgrade critiql" in done.output


def test_what_is_not_installed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["rich>=14", "nowhere>=1", "rich>=9999", 'absent>=2; extra == "odd"', 'rich; extra == "odd"']
    told = {"Requires-Dist": lines, "Provides-Extra": ["odd"]}
    monkeypatch.setattr(installation, "metadata", lambda _: type("Told", (), {"get_all": told.get})())
    assert installation.missing_needs() == ("nowhere>=1", "rich>=9999")
    assert installation.parts() == [installation.Part("odd", ("absent>=2",))]


GIGABYTE = 1_000_000_000
FAST, SLOW = (
    Speed(DEFAULT.name, DEFAULT.size, 1.0, reading, writing) for reading, writing in ((100, 20), (5, 1))
)
SMALL = "qwen2.5-coder-0.5b-instruct"
ADVICE = [
    (None, None, DEFAULT.name),
    (8 * GIGABYTE, FAST, DEFAULT.name),
    (2 * GIGABYTE, FAST, SMALL),
    (1 * GIGABYTE, FAST, None),
    (8 * GIGABYTE, SLOW, None),
]


@pytest.mark.parametrize(("memory", "speed", "wanted"), ADVICE)
def test_the_largest_that_fits_memory_and_patience(
    memory: int | None, speed: Speed | None, wanted: str | None
) -> None:
    best = advice.best(advice.fits(memory, speed))
    assert (best.model if best else None) == wanted
    fits: list[Fit] = advice.fits(memory, speed)
    assert [one.size for one in fits] == sorted((one.size for one in fits), reverse=True)


@pytest.mark.model
def test_a_real_speed() -> None:
    done = doctor("--json", "--model", "smollm2-135m-instruct")
    document = json.loads(done.stdout)
    assert done.exit_code == 0, done.output
    assert document["speed"]["reading"] > document["speed"]["writing"] > 0
    assert all(one["seconds"] > 0 for one in document["fits"])
