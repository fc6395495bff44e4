"""action_assistant: repairs a query by its steps, after SHARE (arXiv 2506.00391, figure 2).

SQL becomes a trajectory by rule, or by a model as published (BAM). The schema augmentation model (SAM) fills
masked tables and columns; the logic optimisation model (LOM) proposes an edit script; the repaired trajectory
becomes SQL again by rule or by a model that does not see the old query. Nothing a model writes is used unless
it is valid: steps must become the query again, masks are filled from the schema, edits are checked against
grammar and schema, with one retry.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from critiql import prompts
from critiql.agent.calls import finished
from critiql.tools.models.model import Generation, LanguageModel, Prompt, Sampling
from critiql.tools.schema.model import Schema
from critiql.tools.sql.canonical import fingerprint
from critiql.tools.sql.extract import extract_sql
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.parse_text import parse_text
from critiql.tools.trajectory.forms.text import to_text, trajectory_lines
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.repair.edits import Edit, apply_edits, edit_words, read_edits
from critiql.tools.trajectory.repair.gbnf import EDIT_OPENING, edit_grammar, mask_grammar, mask_opening
from critiql.tools.trajectory.repair.mask import Masked, fill, mask

PARTS = ("bam", "sam", "lom")
"""The models of the assistant, in the order in which they are asked."""
SQL_OPENING = "```sql\n"
STEPS_OPENING = "```\n"
"""What steps begin with, so that no token is spent on prose."""
ANSWER = re.compile(r"(\[(?:TABLE|COLUMN):\d+\])\s*=\s*([^\n\[\]]+)")
ANSWER_TOKENS = 400
"""Longest answer of SAM and LOM."""


@dataclass(frozen=True)
class Task:
    """What the assistant works for: a question on a database."""

    model: LanguageModel
    prefix: str
    """System line and schema: the first bytes of every prompt on this database."""
    question: str
    """With its notes."""
    schema: Schema
    own_models: Mapping[str, LanguageModel] = field(default_factory=dict)
    """By part: those that are not asked of `model`."""

    def model_of(self, part: str) -> LanguageModel:
        """Who is asked for a part."""
        return self.own_models.get(part, self.model)


@dataclass(frozen=True)
class Attempt:
    """What one model of the assistant proposed, and what was made of it."""

    trajectory: Trajectory
    """After the attempt; the one before it where nothing valid was proposed."""
    proposals: int
    """Answers that were asked for."""
    valid: int
    """Answers that could be used, "nothing is wrong" included."""
    changes: tuple[str, ...] = ()
    """What was changed, in a few words each."""
    refused: tuple[str, ...] = ()
    """Why answers, or single masks, were not used."""
    generations: tuple[Generation, ...] = ()


@dataclass(frozen=True)
class Assistance:
    """A query repaired by its steps."""

    before: Trajectory
    trajectory: Trajectory
    sql: str
    """The repaired query; the canonical print of the original where nothing was changed."""
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    """By part: `bam`, `sam`, `lom`."""
    regeneration: Generation | None = None
    """The model's call where a model wrote the SQL."""

    @property
    def changed(self) -> bool:
        """Whether the trajectory is another one than before."""
        return self.trajectory != self.before

    @property
    def generations(self) -> tuple[tuple[str, Generation], ...]:
        """Every model call with its part, in order."""
        calls = [(part, call) for part, attempt in self.attempts.items() for call in attempt.generations]
        return (*calls, ("regeneration", self.regeneration)) if self.regeneration else tuple(calls)


def assist(
    task: Task,
    sql: str,
    *,
    bam: bool = False,
    sam: bool = True,
    lom: bool = True,
    model_writes_sql: bool = False,
) -> Assistance | ParseFailure | Problem:
    """Repair a query by its steps, once.

    Args:
        task: the question and the model.
        sql: the query to repair.
        bam: as published, a model writes the steps; else the compiler does.
        sam: fill masked tables and columns.
        lom: edit steps.
        model_writes_sql: as published, a model writes the SQL from the steps; else the compiler does.

    Returns:
        The repaired query, or why the given one has no trajectory.
    """
    parsed = parse(sql, task.schema.dialect)
    if isinstance(parsed, ParseFailure):
        return parsed
    before = compile_query(parsed.tree, task.schema.dialect)
    if isinstance(before, Problem):
        return before
    attempts: dict[str, Attempt] = {}
    now = before
    if bam:
        attempts["bam"] = write_steps(task, now)
        before = now = attempts["bam"].trajectory
    if sam:
        attempts["sam"] = augment_schema(task, now)
        now = attempts["sam"].trajectory
    if lom:
        attempts["lom"] = optimise_logic(task, now)
        now = attempts["lom"].trajectory
    if not model_writes_sql:
        return Assistance(before, now, to_sql(now), attempts)
    written, generation = regenerate(task, now)
    return Assistance(before, now, written, attempts, generation)


def write_steps(task: Task, trajectory: Trajectory) -> Attempt:
    """BAM: ask for the steps of the query; they count only where they become the same query again.

    The paper filters BAM's training data so (reversibility verification); here every answer is held to it.

    Args:
        task: the question and the model.
        trajectory: the compiler's, which stays where the model's steps are refused.
    """
    sql = to_sql(trajectory)
    sampling = Sampling(max_tokens=ANSWER_TOKENS, stop=("```",))
    prompt = Prompt(task.prefix, prompts.load("bam").render(sql=sql), STEPS_OPENING)
    generation = finished(task.model_of("bam").generate(prompt, sampling))
    written = parse_text(generation.text.removeprefix(STEPS_OPENING).strip(), trajectory.dialect)
    if isinstance(written, Problem):
        return Attempt(trajectory, 1, 0, (), (str(written),), (generation,))
    if fingerprint(to_sql(written), trajectory.dialect) != fingerprint(sql, trajectory.dialect):
        refused = f"the steps are those of another query: {to_sql(written)}"
        return Attempt(trajectory, 1, 0, (), (refused,), (generation,))
    return Attempt(written, 1, 1, (), (), (generation,))


def augment_schema(task: Task, trajectory: Trajectory) -> Attempt:
    """SAM: ask what belongs behind every mask; an answer out of the schema keeps the original."""
    masked = mask(trajectory, task.schema)
    if not masked.masks:
        return Attempt(trajectory, 0, 0)
    opening = mask_opening(masked)
    sampling = Sampling(max_tokens=ANSWER_TOKENS, grammar=mask_grammar(masked, task.schema))
    prompt = Prompt(task.prefix, sam_request(task.question, masked), opening)
    generation = finished(task.model_of("sam").generate(prompt, sampling))
    answers = read_answers(opening + generation.text)
    filled = fill(masked, answers, task.schema)
    originals = {one.name: one.original for one in masked.masks}
    changes = tuple(f"{originals[name]} becomes {answers[name]}" for name in filled.changed)
    refused = tuple(filled.kept.values())
    valid = int(bool(answers) and not refused)
    return Attempt(filled.trajectory, 1, valid, changes, refused, (generation,))


def optimise_logic(task: Task, trajectory: Trajectory) -> Attempt:
    """LOM: ask for an edit script; one that cannot be carried out is asked for once more, with the reason.

    A local model can only write scripts that trajectory and schema allow; a hosted one is not held to that.
    """
    grammar = edit_grammar(trajectory, task.schema)
    if grammar is None:
        return Attempt(trajectory, 0, 0)
    generations: list[Generation] = []
    refused: list[str] = []
    refusal = ""
    for _ in range(2):
        prompt = Prompt(task.prefix, lom_request(task.question, trajectory, refusal), EDIT_OPENING)
        sampling = Sampling(max_tokens=ANSWER_TOKENS, grammar=grammar, seed=len(generations))
        generation = finished(task.model_of("lom").generate(prompt, sampling))
        generations.append(generation)
        edits = read_script(generation.text)
        edited = edits if isinstance(edits, Problem) else apply_edits(trajectory, edits, task.schema)
        if isinstance(edited, Trajectory) and not isinstance(edits, Problem):
            changes = tuple(map(edit_words, edits))
            return Attempt(edited, len(generations), 1, changes, tuple(refused), tuple(generations))
        refused.append(str(edited))
        refusal = f"Your answer {EDIT_OPENING}{generation.text.strip()} was refused: {edited}."
    return Attempt(trajectory, len(generations), 0, (), tuple(refused), tuple(generations))


def regenerate(task: Task, trajectory: Trajectory) -> tuple[str, Generation]:
    """Let the model write the SQL of a trajectory; it does not see the query the trajectory came from."""
    request = prompts.load("regenerate").render(question=task.question, steps=to_text(trajectory))
    sampling = Sampling(stop=("```", ";\n"))
    generation = finished(task.model.generate(Prompt(task.prefix, request, SQL_OPENING), sampling))
    return extract_sql(generation.text), generation


def read_answers(text: str) -> dict[str, str]:
    """Per mask the name a model gave, of `[COLUMN:1] = table.column` lines."""
    return {found[1]: found[2].strip().strip("`\"'").strip() for found in ANSWER.finditer(text)}


def read_script(text: str) -> tuple[Edit, ...] | Problem:
    """The edit script in a model's answer, with or without the opening the answer was to continue."""
    for whole in (EDIT_OPENING + text, text):
        begin, end = whole.find("{"), whole.rfind("}")
        try:
            return read_edits(json.loads(whole[begin : end + 1]))
        except json.JSONDecodeError:
            continue
    return Problem('the answer is not JSON; write {"edits": [..]} and nothing else')


def sam_request(question: str, masked: Masked) -> str:
    """What SAM is asked: the masked steps, and the names they used so far."""
    names = "\n".join(f"{one.name} was {one.original}" for one in masked.masks)
    return prompts.load("sam").render(question=question, steps=masked.text, names=names)


def lom_request(question: str, trajectory: Trajectory, refusal: str = "") -> str:
    """What LOM is asked: the numbered steps, and why its last answer was refused."""
    numbered = enumerate(trajectory_lines(trajectory), start=1)
    steps = "\n".join(f"{number}: {line.strip()}" for number, line in numbered)
    return prompts.load("lom").render(question=question, steps=steps, refusal=refusal)
