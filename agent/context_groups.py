"""The settings of a run, in groups. Every field has a description and a range, which Studio shows.

A graph's own settings are some of these groups (agent/graph_contexts.py).
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from critiql.tools.errors.guide.parts import GUIDES, PARTS, Guide, Part

Role = Literal[
    "actor",
    "second",
    "llm_critic",
    "error_detector",
    "localiser",
    "refiner",
    "action_assistant",
    "escalation",
    "assistant",
]

DEFAULT_MODEL = "qwen2.5-coder-1.5b-instruct"

ModelName = Annotated[str, Field(json_schema_extra={"__template_metadata__": {"kind": "llm"}})]


EXAMPLES_MADE = (
    "Examples that code makes from the schema where the question is like one of them: totals, shares, "
    "averages, periods; verified pairs go first. 0: none."
)
"""Said of a setting whose default differs between graphs."""


class SettingGroup(BaseModel):
    """A group of settings; what a graph takes is made of such groups."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SharedSettings(SettingGroup):
    """Settings of every graph."""

    database: str = Field(
        default="", description="Path or URL used when the input names none; empty: the sample database."
    )
    model: ModelName = Field(
        default=DEFAULT_MODEL,
        description="Registry name, hf:OWNER/NAME[:QUANT] or .gguf file (or with +ADAPTER.gguf), or "
        "openai:NAME[@URL].",
    )
    actor_model: ModelName | None = Field(
        default=None, description="Model of the actor; empty means `model`."
    )
    seconds: float = Field(
        default=300, gt=0, le=86_400, description="Wall-clock budget of a run, in seconds."
    )
    tokens: int = Field(
        default=60_000, ge=500, description="Budget of prompt plus generated tokens, cached ones left out."
    )
    seed: int = Field(default=0, ge=0, description="Seed of every draw after the greedy one.")
    temperatures: tuple[Annotated[float, Field(ge=0, le=2)], ...] = Field(
        default=(0.0, 0.8, 0.8, 1.0, 1.0),
        min_length=1,
        description="Temperature of each generation in turn; the last one repeats.",
    )
    max_tokens: int = Field(
        default=400, ge=16, le=4096, description="Longest SQL the actor may write, in tokens."
    )
    schema_format: Literal["ddl", "mschema"] = Field(
        default="ddl", description="How the schema is written in prompts."
    )
    sample_rows: int = Field(
        default=3, ge=0, le=10, description="Sample rows per table in the schema text (ddl only)."
    )
    schema_tokens: int = Field(
        default=5000, ge=200, description="A schema text above this many tokens is pruned."
    )
    pruned_tokens: int = Field(
        default=2000,
        ge=200,
        description="What a pruned schema text may take, in tokens, and no more than `schema_tokens`.",
    )
    show_values: bool = Field(
        default=False, description="Show values of the database that the question names."
    )
    execution: bool = Field(
        default=True, description="Off: no query is run and no row is read before the answer."
    )
    run_answer: bool = Field(
        default=True, description="Run the chosen query for the answer's rows; off: it is returned unrun."
    )
    examples: str = Field(
        default="",
        description="File (.csv, .jsonl) of verified pairs: question, sql, perhaps database. Empty: none.",
    )
    memory: bool = Field(
        default=True,
        description="Show what people have verified about this database (`critiql memory`) as examples.",
    )
    # With three the loop lost 5 right answers of 44, with one 3 of 51 (docs/MEMORY.md).
    examples_shown: int = Field(
        default=1, ge=1, le=20, description="Verified pairs shown to roles that write SQL, the most similar."
    )
    examples_made: int = Field(default=0, ge=0, le=10, description=EXAMPLES_MADE)
    query_seconds: float = Field(default=5.0, gt=0, le=600, description="Time one query may run, in seconds.")
    query_rows: int = Field(default=1000, ge=1, le=100_000, description="Rows one query may return.")
    allow_tables: tuple[str, ...] = Field(
        default=(), description="The only tables and views that may be read; none named means all."
    )
    deny_tables: tuple[str, ...] = Field(
        default=(), description="Tables that may not be read, not even through a view, and are not shown."
    )
    deny_columns: tuple[str, ...] = Field(
        default=(), description="Columns (table.column) that may not be read, and are not shown."
    )


class RoundSettings(SettingGroup):
    """Of a graph that writes more than one query."""

    z: int = Field(default=5, ge=1, le=20, description="At most this many generated queries (the paper's z).")


class CriticSettings(SettingGroup):
    """Of a graph with an LLM critic."""

    llm_critic: Literal["off", "raw", "calibrated"] = Field(
        default="calibrated",
        description="off; raw: P(True) against one half; calibrated: against a threshold that was fitted.",
    )
    llm_critic_model: ModelName | None = Field(
        default=None, description="Model of the LLM critic; empty means `model`."
    )
    critic_threshold: float | None = Field(
        default=None, ge=0, le=1, description="P(True) below this is a rejection; overrides calibration."
    )
    critic_sees_rows: bool = Field(
        default=True, description="Show the LLM critic what running the query gave."
    )
    panel: tuple[ModelName, ...] = Field(
        default=(), description="Further models that judge beside the LLM critic.", max_length=5
    )
    panel_vote: Literal["mean", "majority"] = Field(
        default="mean", description="How a panel's readings become one."
    )


class RuleSettings(SettingGroup):
    """Of a graph whose error detector has rules."""

    rules: bool = Field(default=True, description="Run the static rules of the error detector.")


class DetectorSettings(SettingGroup):
    """Of a graph whose error detector may ask a model."""

    semantic_detector: Literal["off", "auto", "head", "prompt"] = Field(
        default="off",
        description="Errors a model names: by an error-token head, in text, or auto (a head where one fits).",
    )
    detector_model: ModelName | None = Field(
        default=None, description="Model of the semantic error detector; empty means `model`."
    )
    detector_head: str = Field(
        default="", description="File of an error-token head; empty: the shipped one that fits the model."
    )
    detector_parts: tuple[Part, ...] = Field(
        default=PARTS,
        description="Shown to a model that names errors in text: schema graph, its links, syntax tree.",
    )
    detector_constrained: bool = Field(
        default=True, description="Hold a local model that names errors in text to error tokens."
    )


class LocaliserSettings(SettingGroup):
    """Of `error_llm` alone."""

    localiser: bool = Field(
        default=False, description="A model says where in the query the errors stand that a model named."
    )
    localiser_model: ModelName | None = Field(
        default=None, description="Model of the localiser; empty means `model`."
    )


class RefinerSettings(SettingGroup):
    """Of a graph whose refiner has a model of its own."""

    refiner_model: ModelName | None = Field(
        default=None, description="Model of the refiner; empty means `model`."
    )


class GuideSettings(SettingGroup):
    """Of a graph whose refiner is told of typed errors."""

    guides: tuple[Guide, ...] = Field(
        default=GUIDES,
        description="What the refiner is told of a typed error beside its name; leave one out to measure it.",
    )
    trajectory_evidence: bool = Field(
        default=False,
        description="With refine: the refiner is told where in a query no row is left or rows multiply.",
    )
    repairs: str = Field(
        default="",
        description="File (.jsonl) of repaired queries to show the refiner; empty: the hand-written ones.",
    )


class SecondModelSettings(SettingGroup):
    """Of a graph in which a second model writes."""

    second_model: ModelName | None = Field(
        default=None,
        description="cross_consistency: model that draws in turn with the actor's; empty: `model`. "
        "text_to_sql: model of the first further query where there is doubt; empty: the actor's.",
    )


class LoopSettings(SettingGroup):
    """Of `text_to_sql` alone."""

    abstain: bool = Field(
        default=True,
        description="Do not answer a question whose words name nothing of the database.",
    )
    name_repair: bool = Field(
        default=True, description="Mend unknown names on the syntax tree before any model call."
    )
    rule_repair: bool = Field(
        default=True, description="Mend on the syntax tree what a rule found and code can write right."
    )
    refine: bool = Field(
        default=False,
        description="Let the refiner mend an incumbent in doubt in the last round.",
    )
    resample: bool = Field(
        default=True, description="Draw further candidates when the incumbent is uncertain."
    )
    escalation_model: ModelName | None = Field(
        default=None,
        description="Model that writes one query where the loop ends in doubt; empty: none.",
    )
    answer_cache: bool = Field(
        default=False,
        description="Answer a question that was answered before by the same query, run again.",
    )


class AcSqlSettings(SettingGroup):
    """Of `ac_sql` alone."""

    execution_critic: bool = Field(
        default=True, description="Run each candidate and reject the failing ones."
    )


class CorrectionSettings(SettingGroup):
    """Of `self_correction` alone."""

    correction: Literal["generic", "gentle", "guided", "review"] = Field(
        default="generic",
        description="generic says there are errors; gentle asks to look; guided has a file; review has two "
        "steps: a review in words, then the query.",
    )
    guidelines: str = Field(default="", description="File of guidelines that a guided correction goes by.")


Acceptance = Literal["incumbent", "given", "always"]
ACCEPTANCE = (
    "incumbent weighs the repaired query against the first; given does so only where the first was given; "
    "always takes it unseen."
)


class ShareSettings(SettingGroup):
    """Of `share` alone."""

    action_assistant_model: ModelName | None = Field(
        default=None, description="Model of SHARE's action assistant; empty means `model`."
    )
    decomposition: Literal["compiler", "model"] = Field(
        default="compiler",
        description="Who writes a query's steps; a model's count where they become the same query again.",
    )
    sam_model: ModelName | None = Field(
        default=None, description="Model that fills masked names; empty means `action_assistant_model`."
    )
    lom_model: ModelName | None = Field(
        default=None, description="Model that edits the steps; empty means `action_assistant_model`."
    )
    sam: bool = Field(default=True, description="Fill masked tables and columns anew.")
    lom: bool = Field(default=True, description="Let the model edit the steps.")
    regeneration: Literal["compiler", "model"] = Field(
        default="compiler", description="Who writes the SQL of the repaired steps."
    )
    rounds: int = Field(
        default=1, ge=1, le=5, description="Repairs one after the other, while each becomes the answer."
    )


class AcceptanceSettings(SettingGroup):
    """Of the graphs that repair once."""

    acceptance: Acceptance = Field(default="incumbent", description=ACCEPTANCE)


class ConversationSettings(SettingGroup):
    """Of a conversation around a graph."""

    assistant_model: ModelName | None = Field(
        default=None,
        description="Model that picks the tool and rewrites follow-ups; empty means `model`.",
    )
