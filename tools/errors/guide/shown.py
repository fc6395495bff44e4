"""What a detector in words is shown beside the query: the question-schema graph and the syntax tree.

ErrorLLM reads [question | graph | SQL | tree | execution]; its table 3 leaves out one at a time.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlglot import exp

from critiql.tools.errors.guide.parts import Part
from critiql.tools.errors.query import Query
from critiql.tools.linking.link import Link
from critiql.tools.linking.prune import linked_part
from critiql.tools.linking.qss import build_qss, serialise
from critiql.tools.schema.model import Schema
from critiql.tools.sql.tree_lines import tree_lines, tree_text


def shown_text(query: Query, links: Sequence[Link], parts: Collection[Part], *, values: bool = True) -> str:
    """The parts as paragraphs of a prompt; empty without any.

    Args:
        query: as the prompt shows it, so that node numbers are those of the text.
        links: what the question's words name.
        parts: which are shown; links without a graph show nothing.
        values: whether example values may be shown.
    """
    shown = []
    if "graph" in parts:
        shown.append(f"Schema of the question:\n{graph_text(query, links, parts, values=values)}")
    if "tree" in parts:
        lines = tree_lines(query.tree, query.parsed.dialect)
        shown.append(f"Syntax tree, one numbered node a line:\n{tree_text(lines)}")
    return "\n".join(shown)


def graph_text(query: Query, links: Sequence[Link], parts: Collection[Part], *, values: bool = True) -> str:
    """The question-schema graph as text: pruned with links, whole without."""
    schema = query.schema if values else replace(query.schema, samples={})
    if "links" not in parts:
        return serialise(build_qss(schema, ()))
    kept = links if values else [each for each in links if each.value is None]
    return serialise(build_qss(subgraph(schema, kept, query), kept))


def subgraph(schema: Schema, links: Sequence[Link], query: Query) -> Schema:
    """The part of a schema that the question's words or the query name."""
    tables = [s.table.name for scope in query.selects for s in scope.sources if s.table is not None]
    places = [place for node in query.all(exp.Column) if (place := query.place(node))]
    return linked_part(schema, links, tables, [(place.table.name, place.column.name) for place in places])
