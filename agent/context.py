"""What may be chosen for one run. Every field has a description and a range, which Studio shows."""

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


class Context(BaseModel):
    """Settings of one run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    llm_critic_model: ModelName | None = Field(
        default=None, description="Model of the LLM critic; empty means `model`."
    )
    detector_model: ModelName | None = Field(
        default=None, description="Model of the semantic error detector; empty means `model`."
    )
    localiser_model: ModelName | None = Field(
        default=None, description="Model of the localiser; empty means `model`."
    )
    refiner_model: ModelName | None = Field(
        default=None, description="Model of the refiner; empty means `model`."
    )
    action_assistant_model: ModelName | None = Field(
        default=None, description="Model of SHARE's action assistant; empty means `model`."
    )
    second_model: ModelName | None = Field(
        default=None,
        description="cross_consistency: model that draws in turn with the actor's; empty: `model`. "
        "text_to_sql: model of the first further query where there is doubt; empty: the actor's.",
    )
    escalation_model: ModelName | None = Field(
        default=None,
        description="text_to_sql: model that writes one query where the loop ends in doubt; empty: none.",
    )
    assistant_model: ModelName | None = Field(
        default=None,
        description="assistant: model that picks the tool and rewrites follow-ups; empty means `model`.",
    )
    panel: tuple[ModelName, ...] = Field(
        default=(), description="Further models that judge beside the LLM critic.", max_length=5
    )
    panel_vote: Literal["mean", "majority"] = Field(
        default="mean", description="How a panel's readings become one."
    )

    z: int = Field(default=5, ge=1, le=20, description="At most this many generated queries (the paper's z).")
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
        default=5000, ge=200, description="A schema text above this many tokens is pruned by links."
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

    abstain: bool = Field(
        default=True,
        description="text_to_sql: do not answer a question whose words name nothing of the database.",
    )

    execution_critic: bool = Field(
        default=True, description="Run each candidate and reject the failing ones."
    )
    llm_critic: Literal["off", "raw", "calibrated"] = Field(
        default="calibrated",
        description="off; raw: P(True) against one half; calibrated: against a fitted threshold.",
    )
    critic_threshold: float | None = Field(
        default=None, ge=0, le=1, description="P(True) below this is a rejection; overrides calibration."
    )
    critic_sees_rows: bool = Field(
        default=True, description="Show the LLM critic what running the query gave."
    )
    name_repair: bool = Field(
        default=True, description="Mend unknown names on the syntax tree before any model call."
    )
    rules: bool = Field(default=True, description="Run the static rules of the error detector.")
    rule_repair: bool = Field(
        default=True, description="Mend on the syntax tree what a rule found and code can write right."
    )
    semantic_detector: Literal["off", "auto", "head", "prompt"] = Field(
        default="off",
        description="Errors a model names: by an error-token head, in text, or auto (a head where one fits).",
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
    localiser: bool = Field(
        default=False,
        description="error_llm: a model says where in the query the errors stand that a model named.",
    )
    repairs: str = Field(
        default="",
        description="File (.jsonl) of repaired queries to show the refiner; empty: the hand-written ones.",
    )
    refine: bool = Field(
        default=False,
        description="text_to_sql: let the refiner mend an incumbent in doubt in the last round.",
    )
    guides: tuple[Guide, ...] = Field(
        default=GUIDES,
        description="What the refiner is told of a typed error beside its name; leave one out to measure it.",
    )
    trajectory_evidence: bool = Field(
        default=False,
        description="With refine: the refiner is told where in a query no row is left or rows multiply.",
    )
    resample: bool = Field(
        default=True, description="Draw further candidates when the incumbent is uncertain."
    )

    correction: Literal["generic", "gentle", "guided"] = Field(
        default="generic",
        description="self_correction: generic says there are errors; gentle asks to look; guided has a file.",
    )
    guidelines: str = Field(
        default="", description="self_correction: file of guidelines that a guided correction goes by."
    )
    sam: bool = Field(default=True, description="share: fill masked tables and columns anew.")
    lom: bool = Field(default=True, description="share: let the model edit the steps.")
    regeneration: Literal["compiler", "model"] = Field(
        default="compiler", description="share: who writes the SQL of the repaired steps."
    )
    acceptance: Literal["incumbent", "always"] = Field(
        default="incumbent",
        description="share: incumbent weighs the repaired query against the first; always takes it unseen.",
    )

    examples: str = Field(
        default="",
        description="File (.csv, .jsonl) of verified pairs: question, sql, perhaps database. Empty: none.",
    )
    memory: bool = Field(
        default=True,
        description="Show what people have verified about this database (`critiql memory`) as examples.",
    )
    examples_shown: int = Field(
        default=3, ge=1, le=20, description="Verified pairs shown to roles that write SQL, the most similar."
    )

    answer_cache: bool = Field(
        default=False,
        description="text_to_sql: answer a question that was answered before by the same query, run again.",
    )

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

    def spec(self, role: Role) -> str:
        """The model a role uses."""
        named = self.detector_model if role == "error_detector" else getattr(self, f"{role}_model")
        return named or self.model

    def models(self) -> list[str]:
        """Every model that the settings name, each once."""
        single = (value for name, value in self if name == "model" or name.endswith("_model"))
        return list(dict.fromkeys([*filter(None, single), *self.panel]))

    def temperature(self, generation: int) -> float:
        """Temperature of a generation; the first one is number 0."""
        return self.temperatures[min(generation, len(self.temperatures) - 1)]
