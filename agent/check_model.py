"""The part of critiql check that asks a model; imported only where one is named."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from critiql.agent.context import Context
from critiql.agent.databases import limits_of, summarise
from critiql.agent.detect.heads import is_shipped
from critiql.agent.detect.prompt import detector_prompt
from critiql.agent.detect.semantic import HeadDetector, PromptDetector, detector_of, finding
from critiql.agent.roles.ground import fitting, links_of, schema_prefix
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits, Result
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.linking.linked import link_database
from critiql.tools.models.factory import HOSTED, fingerprint_of, load_model

Kind = Literal["head", "prompt"]


@dataclass(frozen=True)
class Asker:
    """A model that is asked about one query after the other."""

    detector: HeadDetector | PromptDetector
    context: Context
    """Settings of the agent, so that the prompt is the agent's."""

    @property
    def source(self) -> Kind:
        """What its findings carry."""
        return self.detector.source

    @property
    def limits(self) -> Limits:
        """What running a query may cost: as much as in the agent, for the prompt says what it gave."""
        return limits_of(self.context)

    def findings(self, query: Query, database: Database, result: Result | None) -> list[Finding]:
        """The errors that the model names.

        Raises:
            ModelError: the model failed.
        """
        links = links_of(query.question, database, self.context)
        prefix = schema_prefix(fitting(query.schema, query.question, links, self.context), self.context)
        execution = None if result is None else summarise(result)
        shown = self.detector.parts
        prompt = detector_prompt(
            prefix,
            query.question,
            query,
            execution,
            parts=shown,
            links=link_database(query.question, database, values=False) if "links" in shown else (),
            values=self.context.execution,
        )
        reading = self.detector.read(prompt)
        return [finding(key, self.source, probability) for key, probability in reading.types]


def asker(model: str, kind: Kind, head: Path | None, *, run: bool) -> Asker | None:
    """What asks a model; None where a head is to be used, none is named, and none is shipped for the model.

    Raises:
        ModelError: the model or the named head cannot be used.
    """
    named = str(head) if head else ""
    without = kind == "head" and not named and not model.startswith(HOSTED)
    if without and not is_shipped(fingerprint_of(model)):
        return None
    context = Context(model=model, execution=run)
    return Asker(detector_of(kind, load_model(model), named), context)
