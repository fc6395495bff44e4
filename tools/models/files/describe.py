"""From a name on the hub to what its file must be, as the hub states it now."""

from critiql.tools.models.files.hub import list_repository
from critiql.tools.models.files.hub_name import HubName, base_name, choose_file, parse_hub_name, quant_of
from critiql.tools.models.files.pulled import FOLDER
from critiql.tools.models.files.registry import HubSource, ModelRecord
from critiql.tools.models.model import ModelError


def describe(name: str) -> ModelRecord:
    """What the hub says that a model must be: its file, size, hash and licence.

    Raises:
        ModelError: there is no such model, or the hub cannot be asked.
    """
    asked = parse_hub_name(name)
    listing = list_repository(asked.repository)
    known = {file.rfilename: file.lfs for file in listing.siblings}
    file = choose_file(asked, known)
    stated = known[file]
    if stated is None:
        raise ModelError(f"The hub states no SHA-256 of {file} in {asked.repository}, so it is not taken.")
    return ModelRecord(
        name=str(HubName(asked.repository, quant_of(file) or base_name(file))),
        file=f"{FOLDER}/{asked.repository.replace('/', '--')}/{base_name(file)}",
        size=stated.size,
        sha256=stated.sha256,
        licence=listing.licence[:100],
        context=listing.context,
        chat_template="",
        about="",
        hub=HubSource(repository=asked.repository, file=file, revision=listing.sha),
    )
