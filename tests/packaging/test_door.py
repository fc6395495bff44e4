"""`import critiql`: the names it gives, that it gives them lazily, and that it is quick."""

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import critiql
from critiql.tools.database.sample.build import sample_database

ROOT = Path(__file__).parents[2]
NAMES = """
Answer CalibrationError CheckResult CheckpointError Context ContextOverflowError CritiqlError DatabaseError
Event Explanation Failure HeadError Limits ModelError PairsError QuestionError Refinement Rows SettingsError
TransientModelError UnknownGraphError VerifiedError aask as_tool ask check explain graph load_model
open_database refine run stream toolbox
"""
HEAVY = ("langgraph", "langchain", "llama_cpp", "torch", "pydantic", "sqlglot", "numpy")


def python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_exported_names() -> None:
    assert sorted(NAMES.split()) == critiql.__all__
    assert set(critiql.__all__) <= set(dir(critiql))
    for name in critiql.__all__:
        assert getattr(critiql, name).__name__ == name


def test_checkers_see_what_is_imported_lazily() -> None:
    tree = ast.parse((ROOT / "critiql" / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: f"{node.module}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"critiql.{module}" for name, module in critiql._PLACES.items()}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'answer_everything'"):
        _ = critiql.answer_everything  # type: ignore[attr-defined]


def test_every_kind_of_error_is_one() -> None:
    kinds = [getattr(critiql, name) for name in critiql.__all__ if name.endswith("Error")]
    assert all(issubclass(kind, critiql.CritiqlError) for kind in kinds)
    assert {kind.__name__: kind.exit_code for kind in kinds} == {
        "CalibrationError": 4,
        "CheckpointError": 5,
        "ContextOverflowError": 4,
        "CritiqlError": 1,
        "DatabaseError": 3,
        "HeadError": 4,
        "ModelError": 4,
        "PairsError": 2,
        "QuestionError": 2,
        "SettingsError": 2,
        "TransientModelError": 4,
        "UnknownGraphError": 2,
        "VerifiedError": 2,
    }


IMPORT = f"""
import sys, time
before = time.perf_counter()
import critiql
print(time.perf_counter() - before, *(m for m in sys.modules if m.split(".")[0].startswith({HEAVY})))
"""
CHECK = f"""
import sys, critiql
found = critiql.check(sys.argv[1], sys.argv[2], question="Which titles are there?").findings
print(*(one.type for one in found), *(m for m in sys.modules if m.split(".")[0].startswith({HEAVY[:5]})))
"""


def test_importing_loads_nothing_heavy_and_is_quick() -> None:
    seconds, *loaded = min((python(IMPORT).split() for _ in range(3)), key=lambda said: float(said[0]))
    assert not loaded
    assert float(seconds) < 0.15


@pytest.mark.parametrize(
    ("sql", "is_sample"), [("SELECT titel FROM item", False), ("SELECT nam FROM artists", True)]
)
def test_a_check_without_a_model_loads_none_of_the_agent_and_takes_little_of_a_processor(
    sql: str, is_sample: bool, shop: Path
) -> None:
    """Processor time of the process and its children: what else the machine does hardly counts in it."""
    sample_database()  # made on first use
    took = []
    while len(took) < 3 and min(took, default=1.0) >= 0.5:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert python(CHECK, sql, "" if is_sample else str(shop)) == "attribute_mismatch"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.5
