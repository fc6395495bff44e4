"""The smallest model that writes SQL, asked for some."""

from pathlib import Path

import pytest

from critiql.tools.models.local.model import LocalModel
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime
from critiql.tools.models.model import Prompt, Sampling

pytestmark = pytest.mark.model

SCHEMA = """You write SQLite.
CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER, total REAL);"""
TRUTH = [["True", " True", "true"], ["False", " False", "false"]]


@pytest.fixture
def coder(coder_model_path: Path, tmp_path: Path) -> LocalModel:
    runtime = LlamaRuntime(coder_model_path, threads=1, prefixes=PrefixStore(tmp_path, 10**9))
    return LocalModel("coder", runtime, "chatml")


def test_a_coder_writes_sql_and_orders_answers(coder: LocalModel) -> None:
    counting = Prompt(SCHEMA, "How many customers are there? Answer with one SQL query.", "```sql\n")
    generation = coder.generate(counting, Sampling(max_tokens=30, stop=("```",)))
    assert generation.text.strip().lower().rstrip(";") in (
        "select count(*) from customers",
        "select count(customer_id) from customers",
    )
    assert generation.finish_reason == "stop"
    assert coder.fingerprint == "1d9614638d18"

    def p_true(sql: str) -> float:
        request = f"Question: How many customers are there?\nSQL: {sql}\nIs this right? Answer True or False."
        reading = coder.choose(Prompt(SCHEMA, request), TRUTH)
        assert reading.usage.cached_tokens >= 40
        return reading.logprobs[0] - reading.logprobs[1]

    assert p_true("SELECT count(*) FROM customers") > p_true("SELECT max(total) FROM orders")
    coder.runtime.close()
