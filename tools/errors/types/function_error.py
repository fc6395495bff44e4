"""Error 10, Function Error: an aggregate, date, text or other function misused or left out."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.database.result import Failure
from critiql.tools.errors.links import is_unique, links_of
from critiql.tools.errors.mend.days import by_julian_day, subtracted_days
from critiql.tools.errors.mend.shares import groups_over_all, share_of_all, with_fractions
from critiql.tools.errors.mend.totals import average_in_place_of_sum, average_of_totals, running_total
from critiql.tools.errors.mend.window_names import names_in_windows, written_out
from critiql.tools.errors.query import Place, Query, is_aggregate, outermost, own_nodes
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.schema.column_kinds import is_numeric, is_text
from critiql.tools.sql.foreign_functions import in_sqlite

KEY = "function_error"


def aggregate_in_where(query: Query) -> Iterator[Finding]:
    """An aggregate in WHERE, which is evaluated before rows are grouped."""
    for clause in query.all(exp.Where):
        for call in own_nodes(clause):
            if call in _calls(query, call):
                yield _misplaced(call, "WHERE", "Put it in HAVING, or compare with a subquery.")


def nested_aggregate(query: Query) -> Iterator[Finding]:
    """An aggregate of an aggregate."""
    for outer in query.aggregates:
        for call in own_nodes(outer):
            if call is not outer and call in _calls(query, call):
                yield _misplaced(call, outer.sql_name(), "Aggregate in a subquery first, or order by it.")


def _calls(query: Query, node: exp.Expr) -> tuple[exp.Expr, ...]:
    return tuple(call for call in query.aggregates if call is node)


def _misplaced(call: exp.Expr, where: str, suggestion: str) -> Finding:
    explanation = f"The aggregate {call.sql()} cannot stand inside {where}."
    return Finding(KEY, "rule", explanation, suggestion, node=call, slots={"function": call.sql()})


def number_of_text(query: Query) -> Iterator[Finding]:
    """SUM or AVG of a text column that holds no number."""
    for call in query.all(exp.Sum, exp.Avg):
        place = query.place(call.this)
        if place is None or not is_text(place.column):
            continue
        stored = query.distinct(place)
        if stored and not any(_starts_with_digit(value) for value in stored):
            yield Finding(
                KEY,
                "rule",
                f"{place} holds text, of which {call.sql_name()} is 0.",
                "Use a numeric column.",
                node=call,
                slots={"function": call.sql(), "data_type": place.column.type},
            )


def _starts_with_digit(value: object) -> bool:
    return not isinstance(value, str) or value.lstrip(" +-.")[:1].isdigit()


def count_not_counted(query: Query) -> Iterator[Finding]:
    """The question begins with "how many", and the query neither counts, sums nor returns a number."""
    if not query.words.startswith((" how many ", " count the number of ", " what is the total number of ")):
        return
    select = outermost(query.tree)
    if select is None or query.aggregates or not _all_text(query, select):
        return
    yield Finding(
        KEY,
        "rule",
        "The question asks how many, and the query returns no number.",
        "Count the rows with COUNT(*).",
        node=select.expressions[0],
        slots={"function": "none", "right_function": "COUNT"},
    )


def _all_text(query: Query, select: exp.Select) -> bool:
    places = [query.place(item) for item in select.expressions]
    return all(place is not None and not is_numeric(place.column) for place in places)


def average_not_taken(query: Query) -> Iterator[Finding]:
    """The question asks for an average, and the query has no AVG, no division and no column so called."""
    if not query.words.startswith((" what is the average ", " find the average ", " show the average ")):
        return
    names = [node.name.casefold() for node in query.all(exp.Column)]
    if next(query.all(exp.Avg, exp.Div), None) or any("av" in name or "mean" in name for name in names):
        return
    select = outermost(query.tree)
    if select is not None:
        yield Finding(
            KEY,
            "rule",
            "The question asks for an average, and the query takes none.",
            "Use AVG.",
            node=select.expressions[0],
            slots={"function": "none", "right_function": "AVG"},
        )


def days_as_numbers(query: Query) -> Iterator[Finding]:
    """Two stored days subtracted in SQLite, which reads a text as the number it begins with: the year."""
    nodes = subtracted_days(query)
    if nodes:
        yield Finding(
            KEY,
            "rule",
            f"{nodes[0].sql()} subtracts years, since the days are stored as texts.",
            "Use JULIANDAY on both sides.",
            node=nodes[0],
            slots={"function": nodes[0].sql(), "right_function": "JULIANDAY", "data_type": "text"},
            mended=by_julian_day(query, nodes),
        )


def share_of_itself(query: Query) -> Iterator[Finding]:
    """A total divided by the same total: every group is 100 % of itself. Meant is the total of all groups."""
    for node in query.all(exp.Div):
        mended = share_of_all(query, node)
        if mended is not None:
            yield Finding(
                KEY,
                "rule",
                f"{node.sql()} divides a total by itself.",
                "Divide by the total of all rows.",
                node=node,
                slots={"function": node.sql()},
                mended=mended,
            )


def groups_counted(query: Query) -> Iterator[Finding]:
    """COUNT(x) OVER () in a query with groups: a window comes last, and counts the groups."""
    for node in query.all(exp.Window):
        mended = groups_over_all(query, node)
        if mended is not None:
            yield _aggregated(node, f"{node.sql()} counts the groups, and not their rows.", mended)


def fraction_cut_off(query: Query) -> Iterator[Finding]:
    """Whole numbers divided in SQLite, which cuts the fraction off, where the question asks for a part."""
    for node in query.all(exp.Div):
        mended = with_fractions(query, node)
        if mended is not None:
            yield Finding(
                KEY,
                "rule",
                f"{node.sql()} divides whole numbers, and cuts the fraction off.",
                "Multiply by 1.0 first.",
                node=node,
                slots={"function": node.sql()},
                mended=mended,
            )


def repeated_rows_counted(query: Query) -> Iterator[Finding]:
    """Rows of one table counted by its key beside a total of another, whose join repeats them."""
    for scope in query.selects:
        calls = [call for item in scope.node.expressions for call in own_nodes(item) if is_aggregate(call)]
        for call in calls:
            binding = query.binding(call.this) if isinstance(call, exp.Count) else None
            if binding is None or binding.table is None or not is_unique(binding.table, binding.name):
                continue
            many = {id(link.other) for link in links_of(query.schema, binding.table) if not link.outward}
            others = {id(source.table) for source in scope.sources if source is not binding.source} & many
            if others & {
                id(place.table) for one in calls if one is not call and (place := query.place(one.this))
            }:
                tree, (twin,) = query.copied(call)
                twin.set("this", exp.Distinct(expressions=[twin.this]))
                yield _aggregated(call, f"A join repeats the rows that {call.sql()} counts.", tree)


def rows_averaged(query: Query) -> Iterator[Finding]:
    """The average of rows, where the question asks for the average of what things add up to."""
    mended = average_of_totals(query)
    if mended is not None:
        call = next(query.all(exp.Avg))
        yield _aggregated(call, "The question asks for an average of totals, and rows are averaged.", mended)


def totals_summed(query: Query) -> Iterator[Finding]:
    """The sum of totals, where the question asks for their average."""
    mended = average_in_place_of_sum(query)
    if mended is not None:
        call = next(query.all(exp.Sum))
        yield _aggregated(call, "The question asks for an average, and totals are summed up.", mended)


def step_for_total(query: Query) -> Iterator[Finding]:
    """What each step adds, where the question asks for the total so far."""
    mended = running_total(query)
    if mended is not None:
        call = query.aggregates[0]
        yield _aggregated(call, "The question asks for the total so far, and steps are returned.", mended)


def _aggregated(call: exp.Expr, explanation: str, mended: exp.Query) -> Finding:
    slots = {"function": call.sql()}
    suggestion = "Aggregate once more."
    return Finding(KEY, "rule", explanation, suggestion, node=call, slots=slots, mended=mended)


def name_in_window(query: Query) -> Iterator[Finding]:
    """A window over the name of something shown beside it, which the database does not know there."""
    failure = query.execution
    if not isinstance(failure, Failure) or failure.kind != "no_such_column":
        return
    for scope in query.selects:
        uses = names_in_windows(query, scope)
        if any(query.binding(node) is None for node, _ in uses):
            yield Finding(
                KEY,
                "rule",
                f"A window cannot use {uses[0][0].sql()}, which is a name of the same SELECT.",
                "Write out what the name stands for.",
                node=uses[0][0],
                slots={"function": uses[0][0].sql(), "reason": failure.message},
                mended=written_out(query, uses),
            )


def refused_function(query: Query) -> Iterator[Finding]:
    """The database refused a function: there is no such one, or it stands where it may not."""
    failure = query.execution
    if not isinstance(failure, Failure) or failure.kind not in ("no_such_function", "misuse"):
        return
    if not any(True for rule in (aggregate_in_where, nested_aggregate) for _ in rule(query)):
        slots = {"function": failure.name or "", "reason": failure.message}
        mended = _regrouped(query) if failure.kind == "misuse" else _own_function(query)
        said = f"The database says: {failure.message}"
        suggestion = "" if mended is None else _SUGGESTIONS[failure.kind]
        yield Finding(KEY, "rule", said, suggestion, slots=slots, mended=mended)


_SUGGESTIONS = {
    "misuse": "Group by what is shown.",
    "no_such_function": "Say it with the functions that this database has.",
}


def _own_function(query: Query) -> exp.Query | None:
    return in_sqlite(query.tree) if query.parsed.dialect == "sqlite" else None


def _regrouped(query: Query) -> exp.Query | None:
    """Group by the keys of the tables whose columns are shown, where an aggregate sorts what nothing groups.

    By key and not by what is shown: two playlists may share a name. Without a join a table's own key makes
    groups of one row each, which an aggregate cannot tell apart: what is missing there is a table.
    """
    select = outermost(query.tree)
    if select is None or select.args.get("group") or not select.args.get("order"):
        return None
    places = [query.place(item) for item in select.expressions]
    if any(place is None for place in places):
        return None
    keys = [_key(item, place) for item, place in zip(select.expressions, places, strict=True) if place]
    if not select.args.get("joins") and any(
        _is_key(key, place) for key, place in zip(keys, places, strict=True)
    ):
        return None
    tree, (twin,) = query.copied(select)
    twin.set("group", exp.Group(expressions=list(dict.fromkeys(keys))))
    return tree


def _key(item: exp.Expr, place: Place) -> exp.Expr:
    """The key of the column's table, with the column's qualifier; without a key the column itself."""
    column = item.unalias()
    keys = place.table.primary_key
    if len(keys) != 1 or not isinstance(column, exp.Column):
        return column.copy()
    return exp.column(keys[0], table=column.table or place.table.name)


def _is_key(column: exp.Expr, place: Place | None) -> bool:
    return (
        place is not None
        and isinstance(column, exp.Column)
        and [column.name] == list(place.table.primary_key)
    )


_SWAPS: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Max: (exp.Min, exp.Avg),
    exp.Min: (exp.Max, exp.Avg),
    exp.Avg: (exp.Sum, exp.Max),
    exp.Sum: (exp.Avg, exp.Count),
    exp.Count: (exp.Sum, exp.Max),
}


def other_function(bench: Bench) -> Iterator[Edit]:
    """Put another aggregate in the place of one."""
    for call in bench.shuffled(bench.query.aggregates):
        if isinstance(call.this, exp.Star | exp.Distinct) or type(call) not in _SWAPS:
            continue
        for swap in bench.shuffled(_SWAPS[type(call)]):
            new = swap(this=call.this.copy())
            yield bench.replaced(call, new, f"{call.sql()} became {new.sql()}")


def dropped_function(bench: Bench) -> Iterator[Edit]:
    """Return the column itself instead of its aggregate."""
    for call in bench.shuffled(bench.query.aggregates):
        if isinstance(call.this, exp.Column) and call.arg_key == "expressions":
            yield bench.replaced(call, call.this.copy(), f"{call.sql()} became {call.this.sql()}")


def _bug(subtype: str) -> BugLabel:
    return BugLabel("Function-Related Errors", subtype)


FUNCTION_ERROR = ErrorType(
    number=10,
    name="Function Error",
    description="An aggregate, date, text or conditional function is wrong, misplaced or missing.",
    priority=8,
    guideline="""Wrong expression: $nodes
Located in: $clause
Function now: $function
Function the question asks for: $right_function
Column data type: $data_type
Why it fails: $reason""",
    keywords=("function", "aggregate", "count", "sum", "average", "maximum", "minimum", "date"),
    bugs=(
        _bug("Aggregate Functions"),
        _bug("Window Functions"),
        _bug("Date/Time Functions"),
        _bug("Conversion Functions"),
        _bug("Math Functions"),
        _bug("String Functions"),
        _bug("Conditional Functions"),
    ),
    rules=(
        aggregate_in_where,
        nested_aggregate,
        number_of_text,
        count_not_counted,
        average_not_taken,
        days_as_numbers,
        share_of_itself,
        groups_counted,
        fraction_cut_off,
        repeated_rows_counted,
        rows_averaged,
        totals_summed,
        step_for_total,
        name_in_window,
        refused_function,
    ),
    operators=(other_function, dropped_function),
    examples=(
        RepairExample(
            "Which teams scored more than 50 points on average?",
            "SELECT team FROM matches WHERE AVG(points) > 50 GROUP BY team",
            "An aggregate cannot stand in WHERE; it belongs in HAVING.",
            "SELECT team FROM matches GROUP BY team HAVING AVG(points) > 50",
        ),
    ),
)
