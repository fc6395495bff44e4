"""Calls of a role to its model: streamed into the trace, counted in the state."""

from math import exp

from critiql.agent.context import Context, Role
from critiql.agent.events import Writing, emit
from critiql.agent.evidence import CallRecord, Operation
from critiql.agent.state import State
from critiql.tools.models.cancel import ensure_not_cancelled
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import ChoiceReading, Generation, LanguageModel, Prompt, Sampling, Usage
from critiql.tools.telemetry import span

TRUE = ("True", " True", "true", " true", "TRUE", " TRUE")
FALSE = ("False", " False", "false", " false", "FALSE", " FALSE")
"""Spellings whose probabilities are summed: with and without space, in each case."""

SQL_OPENING = "```sql\n"
"""What a local model's answer is made to begin with, so that no token is spent on prose."""


def write(role: Role, context: Context, prompt: Prompt, sampling: Sampling) -> tuple[Generation, CallRecord]:
    """Let a role's model write; each piece of text becomes an event."""
    model = load_model(context.spec(role))
    generation = model.generate(prompt, sampling, lambda text: emit(Writing(role=role, text=text)))
    return finished(generation), record(role, model, "generate", generation.usage)


def finished(generation: Generation) -> Generation:
    """The same, where its writing was not ended from outside: half a query is none.

    Raises:
        OutOfTimeError, CallCancelledError: it was.
    """
    if generation.finish_reason == "cancelled":
        ensure_not_cancelled()
    return generation


def read_truth(role: Role, model: LanguageModel, prompt: Prompt) -> tuple[ChoiceReading, CallRecord]:
    """Read how likely True and False are as the next token."""
    named = {"gen_ai.request.model": model.name, "critiql.role": role}
    with span(f"choose {model.name}", named) as tell:
        reading = model.choose(prompt, (TRUE, FALSE))
        tell({"gen_ai.usage.input_tokens": reading.usage.prompt_tokens, "critiql.p_true": p_true(reading)})
    return reading, record(role, model, "choose", reading.usage)


def p_true(reading: ChoiceReading) -> float:
    """P(True) / (P(True) + P(False)) of a choice between the two; NaN where neither has a probability."""
    return 1 / (1 + exp(min(reading.logprobs[1] - reading.logprobs[0], 700)))


def sql_sampling(context: Context, generation: int, temperature: float | None = None) -> Sampling:
    """How a query is drawn: greedy first, then by the temperature schedule; never the same seed twice."""
    return Sampling(
        temperature=context.temperature(generation) if temperature is None else temperature,
        seed=context.seed * 1000 + generation,
        max_tokens=context.max_tokens,
        stop=("```", ";\n"),
    )


def sql_prompt(state: State, request: str) -> Prompt:
    """A prompt whose answer is one SQL query; the user's examples go between schema and request."""
    examples = state.get("examples")
    return Prompt(state["schema_prefix"], f"{examples}\n\n{request}" if examples else request, SQL_OPENING)


def uncached(calls: list[CallRecord]) -> int:
    """Tokens that had to be computed: prompt tokens not found in a cache, and generated ones."""
    return sum(c["prompt_tokens"] - c["cached_tokens"] + c["generated_tokens"] for c in calls)


def record(role: Role, model: LanguageModel, operation: Operation, usage: Usage) -> CallRecord:
    """The state's note of one call."""
    return CallRecord(
        role=role,
        model=model.name,
        operation=operation,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        generated_tokens=usage.generated_tokens,
        seconds=usage.seconds,
    )
