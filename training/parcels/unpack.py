"""After: adapters put together again, held against llama.cpp, each with its card."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from critiql.tools.models.local.model import LocalModel
from critiql.training.adapters.adapter_card import adapter_card
from critiql.training.adapters.adapter_file import architecture_of, read_adapter
from critiql.training.adapters.base_model import adapter_pairs, load_base, put_pairs, with_adapter
from critiql.training.adapters.suffix_adapter import compare_programs, in_tokens
from critiql.training.adapters.suffix_attention import NAME
from critiql.training.adapters.suffix_loss import PrefixStates
from critiql.training.data.example_file import Row, read_rows, write_card
from critiql.training.parcels.fit_there import REPORT
from critiql.training.parcels.load import read_manifest
from critiql.training.parcels.pieces import Piece, digest, join


def unpack(packed: Path, returned: Path, data: Sequence[Path], model: LocalModel, out: Path) -> list[Row]:
    """Write the adapters that came back, and their cards.

    Args:
        packed: what `pack` wrote.
        returned: what came back.
        data: the training sets that were packed.
        model: the model the adapters are for.
        out: folder of the adapters, ROLE.gguf.

    Returns:
        Their cards.

    Raises:
        ValueError: the model or a set is not the one that was packed, or a piece is missing or damaged.
    """
    manifest, report = read_manifest(packed), _report(returned)
    if manifest.fingerprint != model.fingerprint:
        raise ValueError(f"The parcels are for {manifest.model}. Name that model.")
    sets = {digest(path): path for path in data}
    out.mkdir(parents=True, exist_ok=True)
    base = load_base(model.runtime.weights.path, "float32", NAME)
    cards: list[Row] = []
    for load in manifest.roles:
        if load.role not in report:
            continue
        if load.data_sha256 not in sets:
            raise ValueError(f"The set that {load.role} was packed from is missing. Name it with --data.")
        done, adapter, source = report[load.role], out / f"{load.role}.gguf", sets[load.data_sha256]
        join([Piece(**piece) for piece in done.pop("pieces")], returned, adapter)
        fit = {
            "role": load.role,
            "acts": "after the prefix",
            "invocation_tokens": list(load.invocation),
            "model": {"name": manifest.model, "fingerprint": manifest.fingerprint},
            "embeddings": manifest.tokens,
            **done,
        }
        base = _write_card(base, fit, source, model, adapter, cards)
    return cards


def _write_card(base: Any, fit: Row, data: Path, model: LocalModel, adapter: Path, cards: list[Row]) -> Any:
    """Compare torch and llama.cpp with an adapter on; the model without it again."""
    plan, rows = fit["plan"], read_rows(data)
    adapted = with_adapter(base, plan["rank"], plan["alpha"], plan["layers"])
    architecture = architecture_of(model.runtime.weights.path)
    put_pairs(adapted, read_adapter(adapter, adapter_pairs(adapted), architecture))
    held = in_tokens(rows, "validation", model)
    compared = compare_programs(adapted, PrefixStates(adapted), model, held, adapter)
    card = adapter_card(rows, fit, compared, data, adapter)
    write_card(card, adapter)
    cards.append(card)
    return adapted.unload()


def _report(returned: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads((returned / REPORT).read_text())
    except OSError as error:
        raise ValueError(f"{returned} has no {REPORT}: no adapter came back whole.") from error
    return report
