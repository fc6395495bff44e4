"""The wiring of each graph as a picture that was reviewed."""

from pathlib import Path

import pytest

from critiql.agent.graph_contexts import UnknownGraphError
from critiql.graphs.catalogue import GRAPHS, graph

SNAPSHOTS = Path(__file__).parents[1] / "fixtures/graphs"


@pytest.mark.parametrize("name", GRAPHS)
def test_picture(name: str, request: pytest.FixtureRequest) -> None:
    drawn = graph(name).get_graph().draw_mermaid(with_styles=False)
    snapshot = SNAPSHOTS / f"{name}.mmd"
    if request.config.getoption("--update-snapshots"):
        snapshot.write_text(drawn)
    assert snapshot.read_text() == drawn


def test_an_unknown_graph_names_those_there_are() -> None:
    with pytest.raises(UnknownGraphError, match="text_to_sql"):
        graph("nothing")
