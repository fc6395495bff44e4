"""Models of the hub in the local store: each file with a note beside it of what it must be."""

from pathlib import Path

from pydantic import ValidationError

from critiql.tools.models.files.hub_name import choose_file, parse_hub_name
from critiql.tools.models.files.registry import ModelRecord
from critiql.tools.models.model import ModelError
from critiql.tools.settings import settings

FOLDER = "hf"
"""Folder of the store that holds them, one folder a repository."""
NOTE = ".json"
"""What the name of a note ends with, after the file's own."""


def note_of(record: ModelRecord) -> Path:
    """Where the note about a model lies."""
    file = settings().models / record.file
    return file.with_name(file.name + NOTE)


def keep_note(record: ModelRecord) -> None:
    """Write down what a file must be, before it is pulled.

    Raises:
        ModelError: it cannot be written.
    """
    note = note_of(record)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        part = note.with_name(f"{note.name}.part")
        part.write_text(record.model_dump_json(indent=1), encoding="utf-8")
        part.replace(note)
    except OSError as error:
        raise ModelError(f"{note} cannot be written: {error.strerror}. Set CRITIQL_MODELS.") from error


def pulled_models() -> list[ModelRecord]:
    """The models of the hub that were asked for here, whole or not."""
    notes = sorted((settings().models / FOLDER).glob(f"*/*.gguf{NOTE}"))
    return [record for note in notes if (record := _read(note))]


def find_pulled(name: str) -> ModelRecord | None:
    """The model of the store that a name of the hub means; None where it was never pulled.

    Raises:
        ModelError: the name is not of that form.
    """
    asked = parse_hub_name(name)
    own = {
        record.hub.file: record
        for record in pulled_models()
        if record.hub and record.hub.repository.lower() == asked.repository.lower()
    }
    try:
        return own[choose_file(asked, own)] if own else None
    except ModelError:
        return None


def _read(note: Path) -> ModelRecord | None:
    """A note; None where it is damaged, or tells of a file elsewhere."""
    try:
        record = ModelRecord.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        return None
    return record if note_of(record) == note else None
