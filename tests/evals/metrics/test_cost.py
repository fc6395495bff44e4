import pytest

from critiql.evals.metrics.cost import QuestionCost, Spent, cost

QUESTIONS = [
    QuestionCost(
        3.0, {"actor": Spent(1, 500, 40, 300, 2.0), "critic": Spent(2, 1000, 2, 900, 0.5)}, cache_hits=1
    ),
    QuestionCost(1.0, {"actor": Spent(1, 700, 60, 700, 1.0)}),
]


def test_means_per_role_and_in_total():
    found = cost(QUESTIONS)
    assert (found.questions, found.seconds.value) == (2, 2.0)
    assert found.seconds.standard_error == pytest.approx(1.0)
    assert found.roles["critic"].calls.value == 1.0, "silent in one of two questions"
    assert found.roles["actor"].tokens_in.value == 600
    assert found.total.tokens_in.value == 1100
    assert found.total.tokens_cached.value == 950
    assert found.cache_hits.value == pytest.approx(1 / 4)
    assert found.total.per_thousand() == Spent(2000, 1_100_000, 51_000, 950_000, 1750.0)


def test_no_questions_have_no_cost():
    with pytest.raises(ValueError, match="no question"):
        cost([])
