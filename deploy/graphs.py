"""Every graph under the name that `aegra.json` gives: Aegra loads files, not modules."""

from critiql.graphs.ac_sql import graph as ac_sql
from critiql.graphs.assistant import graph as assistant
from critiql.graphs.cross_consistency import graph as cross_consistency
from critiql.graphs.din_sql import graph as din_sql
from critiql.graphs.error_llm import graph as error_llm
from critiql.graphs.mac_refiner import graph as mac_refiner
from critiql.graphs.multiple_prompt import graph as multiple_prompt
from critiql.graphs.self_consistency import graph as self_consistency
from critiql.graphs.self_correction import graph as self_correction
from critiql.graphs.self_debugging import graph as self_debugging
from critiql.graphs.share import graph as share
from critiql.graphs.single_shot import graph as single_shot
from critiql.graphs.text_to_sql import graph as text_to_sql

__all__ = [
    "ac_sql",
    "assistant",
    "cross_consistency",
    "din_sql",
    "error_llm",
    "mac_refiner",
    "multiple_prompt",
    "self_consistency",
    "self_correction",
    "self_debugging",
    "share",
    "single_shot",
    "text_to_sql",
]
