"""Tab: what the shell is offered, by the shell's own protocol."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from critiql.agent.memory.confirm import confirm
from critiql.cli.main import app
from critiql.tools.database.engine import DEFAULT_LIMITS
from critiql.tools.database.open import get_database

CASES = [
    ("do", {"doctor"}),
    ("ask --gra", {"--graph"}),
    ("ask --graph self_d", {"self_debugging"}),
    ("chat --graph text", {"text_to_sql"}),
    ("ask --model qwen2.5-coder-1", {"qwen2.5-coder-1.5b-instruct"}),
    ("serve --model smol", {"smollm2-135m-instruct"}),
    ("models pull smol", {"smollm2-135m-instruct"}),
    ("ask --set examples_s", {"examples_shown="}),
    ("ask --set llm_critic=r", {"llm_critic=raw"}),
    ("chat --set memory=", {"memory=true", "memory=false"}),
    ("ask --set nothing=", set()),
    ("eval run spider-train-m", {"spider-train-missed"}),
    ("eval run nl2sql", {"nl2sql-bugs"}),
    ("eval run x --system single_shot,ac", {"single_shot,ac_sql"}),
    ("memory remove shop-", {"shop-"}),
]


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_what_is_offered(typed: str, offered: set[str], shop: Path) -> None:
    kept, _ = confirm("How many?", "SELECT 3", get_database(shop), "Ines", limits=DEFAULT_LIMITS)
    words = f"critiql {typed}"
    environment = {
        "_CRITIQL_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = CliRunner().invoke(app, [], env=environment, prog_name="critiql")
    found = set(done.stdout.split("\n")) - {""}
    assert found == ({kept.name} if offered == {"shop-"} else offered), done.output


def test_it_can_be_switched_on() -> None:
    said = CliRunner().invoke(app, ["--help"]).output
    assert "--install-completion" in said
    assert "--show-completion" in said
