"""The error types, in one tuple. A sixteenth type is one file beside this one and one entry here."""

from collections.abc import Iterable

from critiql.tools.errors.types.attribute_mismatch import ATTRIBUTE_MISMATCH
from critiql.tools.errors.types.attribute_missing import ATTRIBUTE_MISSING
from critiql.tools.errors.types.attribute_redundancy import ATTRIBUTE_REDUNDANCY
from critiql.tools.errors.types.clause_error import CLAUSE_ERROR
from critiql.tools.errors.types.condition_error import CONDITION_ERROR
from critiql.tools.errors.types.condition_missing import CONDITION_MISSING
from critiql.tools.errors.types.error_type import ErrorType
from critiql.tools.errors.types.function_error import FUNCTION_ERROR
from critiql.tools.errors.types.join_error import JOIN_ERROR
from critiql.tools.errors.types.modifier_error import MODIFIER_ERROR
from critiql.tools.errors.types.operator_error import OPERATOR_ERROR
from critiql.tools.errors.types.subquery_error import SUBQUERY_ERROR
from critiql.tools.errors.types.table_mismatch import TABLE_MISMATCH
from critiql.tools.errors.types.table_missing import TABLE_MISSING
from critiql.tools.errors.types.table_redundancy import TABLE_REDUNDANCY
from critiql.tools.errors.types.unreadable import UNREADABLE
from critiql.tools.errors.types.value_error import VALUE_ERROR

RESERVED = 32
"""N: error tokens the head reserves. Types that do not exist yet keep their rows (ErrorLLM, section 3.3)."""

NULL_TOKEN = "[ERR_00]"
"""No Error."""

NULL_KEYWORDS = ("correct", "right", "valid", "good", "accurate", "true")
"""Words whose mean embedding initialises the null token."""

ERROR_TYPES: tuple[ErrorType, ...] = (
    ATTRIBUTE_MISMATCH,
    ATTRIBUTE_REDUNDANCY,
    ATTRIBUTE_MISSING,
    TABLE_MISMATCH,
    TABLE_REDUNDANCY,
    TABLE_MISSING,
    VALUE_ERROR,
    CONDITION_MISSING,
    CONDITION_ERROR,
    FUNCTION_ERROR,
    CLAUSE_ERROR,
    MODIFIER_ERROR,
    OPERATOR_ERROR,
    SUBQUERY_ERROR,
    JOIN_ERROR,
)
"""All types, in the order of their numbers."""

BY_KEY: dict[str, ErrorType] = {error.key: error for error in (UNREADABLE, *ERROR_TYPES)}
"""Types by key, with the one for texts that cannot be read."""

BY_BUG: dict[tuple[str, str], ErrorType] = {
    (bug.category, bug.subtype): error for error in ERROR_TYPES for bug in error.bugs
}
"""Types by NL2SQL-Bugs category and sub-type. `Other Errors / Other` means none of them."""


def in_priority(keys: Iterable[str]) -> list[ErrorType]:
    """The types of some keys, each once, in the order of repair; a key of no type is passed over."""
    known = {BY_KEY[key] for key in keys if key in BY_KEY}
    return sorted(known, key=lambda error: (error.priority, error.number))
