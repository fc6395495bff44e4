"""The action assistant with a scripted model: what is asked, what is used, what is counted."""

import re
from collections.abc import Callable, Sequence

import pytest

from critiql import prompts
from critiql.agent.share import Assistance, Task, assist, read_answers, read_script
from critiql.tools.models.model import ChoiceReading, Generation, Prompt, Sampling, Usage
from critiql.tools.schema.model import Column, Schema, Table
from critiql.tools.sql.parse import Parsed, ParseFailure, parse
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.repair.edits import Delete

SCHEMA = Schema(
    (
        Table(
            "singer",
            (Column("id", "INTEGER", primary_key=True), Column("name", "TEXT"), Column("age", "INTEGER")),
        ),
        Table("band", (Column("id", "INTEGER", primary_key=True), Column("title", "TEXT"))),
    )
)


class Scripted:
    """A model that gives its answers one after another and keeps what it was asked."""

    name = "scripted"
    fingerprint = "scripted"

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Prompt, Sampling]] = []

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        self.asked.append((prompt, sampling))
        return Generation(self.answers.pop(0), "stop", None, Usage(generated_tokens=1))

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        raise AssertionError("the assistant never reads a choice")

    def count_tokens(self, text: str) -> int:
        return len(text)


def assisted(model: Scripted, sql: str, **options: bool) -> Assistance:
    found = assist(Task(model, "SCHEMA\n", "Who is older than 30?", SCHEMA), sql, **options)
    assert isinstance(found, Assistance)
    return found


def test_both_models_repair_and_the_compiler_writes() -> None:
    model = Scripted(
        "singer\n[COLUMN:1] = singer.age\n[COLUMN:2] = singer.name\n",
        '{"op": "substitute", "line": 2, "action": "where(age > 30)"}]}',
    )
    found = assisted(model, "SELECT title FROM singer WHERE age < 30")
    assert found.sql == "SELECT name FROM singer WHERE age > 30"
    assert found.changed
    assert found.attempts["sam"].changes == ("title becomes singer.name",)
    assert found.attempts["lom"].changes == ("line 2 becomes where(age > 30)",)
    assert [(a.proposals, a.valid) for a in found.attempts.values()] == [(1, 1), (1, 1)]
    assert len(found.generations) == 2


def test_a_part_may_have_a_model_of_its_own() -> None:
    common = Scripted("singer\n[COLUMN:1] = singer.age\n[COLUMN:2] = singer.name\n")
    own = Scripted('{"op": "substitute", "line": 2, "action": "where(age > 30)"}]}')
    task = Task(common, "SCHEMA\n", "Who is older than 30?", SCHEMA, {"lom": own})
    found = assist(task, "SELECT title FROM singer WHERE age < 30")
    assert isinstance(found, Assistance)
    assert found.sql == "SELECT name FROM singer WHERE age > 30"
    assert [part for part, _ in found.generations] == ["sam", "lom"]
    assert (len(common.asked), len(own.asked)) == (1, 1)


def test_steps_that_become_the_query_again_count() -> None:
    written = "res = scan(singer)\n    .where(age > 30)\n    .select(name)\n"
    model = Scripted(written)
    found = assisted(model, "select name from singer where age > 30", bam=True, sam=False, lom=False)
    assert (found.attempts["bam"].proposals, found.attempts["bam"].valid, found.changed) == (1, 1, False)
    assert model.asked[0][0].prefix == "SCHEMA\n"
    assert "\nSELECT name FROM singer WHERE age > 30\n" in model.asked[0][0].request


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("res = scan(singer)\n    .select(name)\n", "the steps are those of another query: SELECT name"),
        ("First, the table is read.", ""),
    ],
)
def test_other_steps_are_refused_and_the_compilers_stay(written: str, reason: str) -> None:
    found = assisted(
        Scripted(written), "SELECT name FROM singer WHERE age > 30", bam=True, sam=False, lom=False
    )
    assert found.attempts["bam"].valid == 0
    assert found.attempts["bam"].refused[0].startswith(reason)
    assert found.sql == "SELECT name FROM singer WHERE age > 30"


def test_the_examples_of_the_prompt_are_the_compilers_steps() -> None:
    """A query, a line that says so, and its steps."""
    text = prompts.load("bam").text
    queries = re.findall(r"^SELECT .*$", text, re.MULTILINE)
    blocks = re.findall(r"^(?:df1|res) = .*(?:\n(?: {4}\.|res = ).*)*", text, re.MULTILINE)
    assert len(queries) == len(blocks) == 2
    for sql, steps in zip(queries, blocks, strict=True):
        parsed = parse(sql, "sqlite")
        assert isinstance(parsed, Parsed)
        compiled = compile_query(parsed.tree, "sqlite")
        assert isinstance(compiled, Trajectory)
        assert to_text(compiled) == steps


def test_prompts_share_the_prefix_and_hide_names() -> None:
    model = Scripted("", "]}")
    assisted(model, "SELECT name FROM singer WHERE age > 30")
    (sam, sam_sampling), (lom, lom_sampling) = model.asked
    assert sam.prefix == lom.prefix == "SCHEMA\n"
    assert "res = scan([TABLE:1])\n    .where([COLUMN:1] > 30)" in sam.request
    assert sam.opening == "[TABLE:1] = "
    assert sam_sampling.grammar is not None
    assert 'table ::= "singer" | "band"' in sam_sampling.grammar
    assert "2: .where(age > 30)" in lom.request
    assert lom_sampling.grammar is not None


def test_nothing_wrong_is_a_valid_answer() -> None:
    found = assisted(Scripted("]}"), "SELECT name FROM singer", sam=False)
    assert not found.changed
    assert found.attempts["lom"].valid == 1
    assert found.sql == "SELECT name FROM singer"


def test_refused_edit_is_asked_for_once_more_with_the_reason() -> None:
    model = Scripted(
        '{"op": "add", "after": 1, "action": "where(height > 3)"}]}',
        '{"edits": [{"op": "add", "after": 1, "action": "where(age > 3)"}]}',
    )
    found = assisted(model, "SELECT name FROM singer", sam=False)
    assert found.sql == "SELECT name FROM singer WHERE age > 3"
    assert (found.attempts["lom"].proposals, found.attempts["lom"].valid) == (2, 1)
    assert "there is no column height here" in model.asked[1][0].request


def test_two_refusals_keep_the_query() -> None:
    found = assisted(
        Scripted("no idea", '{"op": "delete", "line": 99}]}'), "SELECT name FROM singer", sam=False
    )
    assert found.sql == "SELECT name FROM singer"
    assert found.attempts["lom"].valid == 0
    assert len(found.attempts["lom"].refused) == 2


def test_answer_out_of_the_schema_keeps_the_name() -> None:
    found = assisted(
        Scripted("[TABLE:1] = painter\n[COLUMN:1] = singer.name"), "SELECT name FROM singer", lom=False
    )
    assert found.sql == "SELECT name FROM singer"
    assert found.attempts["sam"].valid == 0
    assert found.attempts["sam"].refused == ("painter is not a table of the schema",)


def test_model_may_write_the_sql() -> None:
    model = Scripted("SELECT name\nFROM singer\n")
    found = assisted(model, "SELECT age FROM singer", sam=False, lom=False, model_writes_sql=True)
    assert found.sql == "SELECT name\nFROM singer"
    assert found.regeneration is not None
    assert "SELECT age" not in model.asked[0][0].request
    assert ".select(age)" in model.asked[0][0].request


@pytest.mark.parametrize(("sql", "kind"), [("SELECT FROM", ParseFailure), ("hello", ParseFailure)])
def test_what_has_no_trajectory_is_said(sql: str, kind: type) -> None:
    assert isinstance(assist(Task(Scripted(), "", "", SCHEMA), sql), kind)


def test_reading_answers() -> None:
    text = "[TABLE:1] = [TABLE:1] = `singer`\n[COLUMN:2]= singer.age \nwell"
    assert read_answers(text) == {"[TABLE:1]": "singer", "[COLUMN:2]": "singer.age"}
    assert read_script('```json\n{"edits": [{"op": "delete", "line": 1}]}\n```') == (Delete(1),)
    assert isinstance(read_script("{"), Problem)
