import pytest

from critiql.cli.screen.extras import extra


def test_a_missing_part_is_named_with_the_command_that_installs_it() -> None:
    with (
        pytest.raises(SystemExit, match=r"needs no_such_module.*pip install 'critiql\[evals\]'"),
        extra("evals"),
    ):
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
