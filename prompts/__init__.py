"""Prompts: one Markdown file a role, loaded by name.

A prompt file is plain text with `$slot` placeholders. `load` gives the template with the digest
that calibration files, traces and evaluation results quote as the prompt's version.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class PromptTemplate:
    """The text of one role's prompt."""

    name: str
    text: str

    @property
    def slots(self) -> frozenset[str]:
        """The names that `render` must be given."""
        return frozenset(Template(self.text).get_identifiers())

    @property
    def digest(self) -> str:
        """First 12 hex digits of the text's SHA-256: the prompt's version."""
        return sha256(self.text.encode()).hexdigest()[:12]

    def render(self, **values: str) -> str:
        """Fill every slot; `KeyError` names one that is missing."""
        return Template(self.text).substitute(values)


@cache
def load(name: str) -> PromptTemplate:
    """Read `prompts/<name>.md`; `FileNotFoundError` when there is no such role."""
    return PromptTemplate(name, (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip("\n"))


def names() -> list[str]:
    """Every prompt in this folder, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))
