"""A model that knows the references: the same question and seed give the same, and all kinds come."""

from critiql.evals.studies.reference_model import reply, written

GOLD = "SELECT title FROM item WHERE price > 9"
REFERENCES = {"Which items?": GOLD, "Which items? All": "SELECT 2"}


def asked(text: str, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], **more}


def test_every_kind_of_query_comes_and_a_seed_repeats_it() -> None:
    queries = [written("Which items?", GOLD, seed) for seed in range(60)]
    assert set(queries) == {
        GOLD,
        "SELECT nonesuch, title FROM item WHERE price > 9",
        "SELECT title FROM item",
        f"{GOLD} LIMIT 1",
    }
    assert 20 <= queries.count(GOLD) <= 40
    assert queries == [written("Which items?", GOLD, seed) for seed in range(60)]


def test_the_longest_question_it_finds_is_the_one_and_a_seed_counts_only_where_it_draws() -> None:
    greedy = [reply(asked("Q: Which items? All", seed=seed), REFERENCES) for seed in range(20)]
    assert set(greedy) == {written("Which items? All", "SELECT 2", 0)}
    drawn = {reply(asked("Q: Which items?", seed=seed, temperature=1), REFERENCES) for seed in range(60)}
    assert len(drawn) == 4
    assert reply(asked("Which items?", max_tokens=1), REFERENCES) in {"True", "False"}
