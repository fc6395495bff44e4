"""The notebook runs in a kernel from top to bottom, and what it shows can be looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import critiql
from critiql.agent.context import Context

FILE = Path(__file__).parents[2] / "examples" / "notebook.ipynb"

SETUP = """
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from critiql.agent.context import DEFAULT_MODEL
from critiql.tools.models.factory import from_chat_model, use_model

scripted = use_model(DEFAULT_MODEL, from_chat_model("scripted", FakeListChatModel(responses=["{sql}"])))
scripted.__enter__()
"""
"""A cell before the notebook's own: what the default model's name stands for."""


def outputs(notebook: Any) -> list[dict[str, Any]]:
    return [dict(output) for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.server
@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning")
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    notebook: Any = nbformat.read(FILE, as_version=4)
    assert not outputs(notebook), "the notebook is kept without what running it gave"
    setup = SETUP.format(sql="SELECT COUNT(*) AS albums FROM albums")
    notebook.cells.insert(0, nbformat.v4.new_code_cell(setup))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    shown = [output["data"] for output in outputs(notebook) if "data" in output]
    page = next(data["text/html"] for data in shown if "text/html" in data)
    assert "<table" in page
    assert "SELECT COUNT(*) AS albums FROM albums" in page
    assert any("pip install pandas" in data["text/plain"] or "albums" in data["text/plain"] for data in shown)
    assert "attribute_mi" in shown[-1]["text/plain"]


async def test_a_question_is_answered_where_a_loop_runs(scripted: Callable[..., Any], shop: Path) -> None:
    scripted(["SELECT COUNT(*) FROM item"], [0.9])
    context = Context(model="scripted", llm_critic="off")
    assert critiql.ask("How many items?", shop, context=context).rows == [[3]]
    kept = critiql.refine("SELECT title FROM item", shop, "Which titles are there?", context=context)
    assert kept.after == "SELECT title FROM item"
