"""The flagship under critics and refiners that want it to fail, against its own single shot.

Most questions are played on the graph's real wiring and the real incumbent rule with scripted roles, which
is quick; the slow test asks the graph itself. The script follows what a pilot measured of a 1.5B actor: its
first query is right on 64 % of the questions and fails to run on 14 %, a further one is right on 68 % of the
former and on 23 % of all others. 4 % of right answers are empty, as Spider's are; that 15 % of wrong ones
are, and that rules find 12 % of them, is assumed.
"""

import inspect
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from critiql.agent.candidates import executes, not_run
from critiql.agent.context import Context
from critiql.agent.decide.calibration import Displacement
from critiql.agent.decide.doubt import unexamined
from critiql.agent.decide.fitted import verdict_of
from critiql.agent.decide.incumbent import settle
from critiql.agent.evidence import merge_candidates
from critiql.evals.fit.critic import fit
from critiql.evals.fit.displacement import Pool, fit_displacement
from critiql.evals.fit.draws import Draws
from critiql.graphs.text_to_sql import builder, graph

pytestmark = pytest.mark.process

QUESTIONS = 2000
"""Asked of every critic in the quick suite; the slow one asks five times as many."""
FITTED_ON = 400
"""Questions of 40 other databases that a calibration is fitted on."""
ALLOWED = 0.01
"""One in 100."""


class Query(NamedTuple):
    """A query of the script."""

    sql: str
    rows: str | None
    """What it returns; None: it fails."""
    right: bool
    empty: bool = False
    findings: int = 0


@dataclass(frozen=True)
class Question:
    """A question with everything the actor would write for it, in order."""

    number: int
    drawn: tuple[Query, ...]

    @property
    def first(self) -> Query:
        """Single shot's answer."""
        return self.drawn[0]


def question(number: int) -> Question:
    """The same question for the same number."""
    dice = random.Random(number)
    kind = dice.choices(("right", "fails", "wrong"), (0.64, 0.14, 0.22))[0]
    again = (0.68, 0.12, 0.20) if kind == "right" else (0.23, 0.30, 0.47)
    kinds = [kind, *dice.choices(("right", "fails", "wrong"), again, k=19)]
    return Question(number, tuple(query(number, kind, dice) for kind in kinds))


def query(number: int, kind: str, dice: random.Random) -> Query:
    """A query of a kind: right ones agree, half of the wrong ones are the same mistake; rules see little."""
    if kind == "fails":
        return Query(f"fails {dice.randrange(9)}", None, False, findings=int(dice.random() < 0.8))
    mistake = 0 if kind == "right" or dice.random() < 0.5 else dice.randrange(1, 99)
    sql = f"{kind} {mistake} as {dice.randrange(4)}"
    known = random.Random(f"{number} {kind} {mistake}")
    empty = known.random() < (0.04 if kind == "right" else 0.15)
    found = known.random() < (0.005 if kind == "right" else 0.12)
    return Query(sql, f"{kind} {mistake}", kind == "right", empty, int(found))


CRITICS: dict[str, Callable[[Query, random.Random], float]] = {
    "random": lambda _query, dice: dice.random(),
    "always False": lambda _query, _dice: 0.02,
    "always True": lambda _query, _dice: 0.98,
    "inverted": lambda query, dice: min(max(dice.gauss(0.25 if query.right else 0.75, 0.15), 0.01), 0.99),
    "inverted and sure": lambda query, _dice: 0.001 if query.right else 0.999,
}
"""P(True) of a query."""

REFINERS: dict[str, Callable[[random.Random], Query]] = {
    "prose": lambda _dice: Query("I am sorry.", None, False),
    "the same nonsense": lambda _dice: Query("SELECT 1", "1", False),
    "other nonsense": lambda dice: (n := dice.randrange(10**6)) and Query(f"SELECT {n}", f"{n}", False),
    "an echo of a mistake": lambda dice: Query(f"wrong 0 again {dice.randrange(9)}", "wrong 0", False),
}
"""What is written in place of a repair."""


@dataclass(frozen=True)
class Critic:
    """An adversary, and what calibration made of it."""

    name: str
    threshold: float | None
    fitted: Displacement | None = None


@dataclass
class Play:
    """One question on its way through the graph."""

    question: Question
    critic: Critic
    refiner: str
    context: Context
    state: dict[str, Any]
    queries: list[Query]
    dice: random.Random

    def actor(self) -> None:
        self._write(self.question.drawn[self.state["generations"]], "actor")

    def refiner_(self) -> None:
        source = self.state["incumbent"]
        self._merge([{"id": source, "refined": True}])
        self._write(REFINERS[self.refiner](self.dice), "refiner")

    def execution_critic(self) -> None:
        self._merge(
            [{"id": c["id"], "execution": execution(self.queries[c["id"]])} for c in not_run(self.now)]
        )

    def llm_critic(self) -> None:
        judged = [self._judged(c) for c in self.state["candidates"] if executes(c) and "verdict" not in c]
        self._merge(judged)

    def decide(self) -> None:
        candidates = self.state["candidates"]
        chosen, _ = settle(candidates, candidates[self.state["incumbent"]], self.critic.fitted)
        self.state["incumbent"] = chosen["id"]

    def error_detector(self) -> None:
        self._merge(
            [{"id": c["id"], "findings": [{}] * self.queries[c["id"]].findings} for c in unexamined(self.now)]
        )

    @property
    def now(self) -> Any:
        """The state, as roles and routers take it."""
        return self.state

    def _judged(self, candidate: Any) -> dict[str, Any]:
        earlier = candidate["repeats"]
        reading = (
            CRITICS[self.critic.name](self.queries[candidate["id"]], self.dice)
            if earlier is None
            else self.state["candidates"][earlier]["p_true"]
        )
        verdict = verdict_of(reading, self.critic.threshold)
        return {"id": candidate["id"], "p_true": reading, "verdict": verdict}

    def _write(self, query: Query, origin: str) -> None:
        known = [c["id"] for c in self.state["candidates"] if c["sql"] == query.sql]
        made = {
            "id": len(self.queries),
            "sql": query.sql,
            "origin": origin,
            "repeats": known[0] if known else None,
        }
        self.queries.append(query)
        self._merge([made])
        self.state["generations"] += 1

    def _merge(self, new: list[Any]) -> None:
        self.state["candidates"] = merge_candidates(self.state["candidates"], new)


def execution(query: Query) -> dict[str, Any]:
    """What the sandbox would say."""
    return {
        "ok": query.rows is not None,
        "rows_fingerprint": query.rows,
        "row_count": 0 if query.empty else 1,
        "null_columns": 0,
    }


def play(question: Question, critic: Critic, refiner: str = "prose", z: int = 5) -> Play:
    """Send a question through the nodes as the graph would."""
    state = {"candidates": [], "incumbent": 0, "generations": 0, "started": time.time(), "calls": []}
    dice = random.Random(question.number + 1)
    played = Play(question, critic, refiner, Context(z=z, refine=True, abstain=False), state, [], dice)
    roles = {"actor": played.actor, "refiner": played.refiner_, "execution_critic": played.execution_critic}
    roles |= {
        "llm_critic": played.llm_critic,
        "error_detector": played.error_detector,
        "decide": played.decide,
    }
    here = "actor"
    while here != "answer":
        roles[here]()
        here = following(here, played)
    return played


def following(here: str, played: Play) -> str:
    """The next node, by the edges and routers of the graph itself."""
    if here not in builder.branches:
        return EDGES[here]
    router, arguments = router_of(here)
    return str(router(*(played.state, SimpleNamespace(context=played.context))[:arguments]))


EDGES = dict(builder.edges)


@cache
def router_of(node: str) -> tuple[Any, int]:
    """The router after a node, and how many of (state, runtime) it takes."""
    (branch,) = builder.branches[node].values()
    router: Any = branch.path.func  # type: ignore[attr-defined]
    return router, len(inspect.signature(router).parameters)


@cache
def calibrated(name: str) -> Critic:
    """The adversary after `critiql calibrate`: ac_sql's draws fit its threshold, text_to_sql's its margin."""
    asked = [question(10**6 + number) for number in range(FITTED_ON)]
    databases = tuple(f"database {number % 40}" for number in range(FITTED_ON))
    found = fit(draws(name, asked, databases), 5)
    never = Critic(name, 1.0)
    pools = []
    for one, database in zip(asked, databases, strict=True):
        played = play(one, never, "other nonsense")
        right = tuple(query.right for query in played.queries)
        pools.append(Pool(database, tuple(played.state["candidates"]), right))
    return Critic(name, found.threshold if found.enabled else None, fit_displacement(pools).fitted)


def draws(name: str, asked: list[Question], databases: tuple[str, ...]) -> Draws:
    """What `critiql calibrate` draws with ac_sql: five queries a question, four of them judged."""
    dice = random.Random(0)
    drawn = [one.drawn[:5] for one in asked]
    executing = np.array([[query.rows is not None for query in row[:4]] for row in drawn])
    readings = np.array([[CRITICS[name](query, dice) for query in row[:4]] for row in drawn])
    repeats = [[row[i].sql in {query.sql for query in row[:i]} for i in range(5)] for row in drawn]
    return Draws(
        databases,
        np.array([[query.right for query in row] for row in drawn]),
        executing,
        np.where(executing, readings, np.nan),
        np.array(repeats),
    )


def as_it_comes(name: str) -> Critic:
    """Without calibration nothing is rejected."""
    return Critic(name, None)


def raw(name: str) -> Critic:
    """`llm_critic="raw"`: below one half is a rejection."""
    return Critic(name, 0.5)


def against_single_shot(critic: Critic, refiner: str, numbers: range) -> tuple[int, int]:
    """Questions fixed and broken."""
    fixed = broken = 0
    for number in numbers:
        played = play(question(number), critic, refiner)
        first, last = played.question.first, played.queries[played.state["incumbent"]]
        fixed += last.right and not first.right
        broken += first.right and not last.right
    return fixed, broken


FEW = list(product(["random", "always False", "always True", "inverted"], [as_it_comes]))
"""What the quick suite has time for; the fits of the calibrated ones take longer."""


@pytest.mark.parametrize(("name", "made"), FEW)
def test_no_critic_brings_the_flagship_below_its_single_shot(
    name: str, made: Callable[[str], Critic]
) -> None:
    fixed, broken = against_single_shot(made(name), "other nonsense", range(QUESTIONS))
    assert broken - fixed <= ALLOWED * QUESTIONS, (fixed, broken)


@pytest.mark.parametrize("refiner", REFINERS)
def test_no_refiner_does(refiner: str) -> None:
    fixed, broken = against_single_shot(as_it_comes("random"), refiner, range(1000))
    assert broken - fixed <= ALLOWED * 1000, (fixed, broken)


PAIRS = list(product(CRITICS, (as_it_comes, calibrated, raw), REFINERS))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "made", "refiner"), PAIRS)
def test_no_pair_of_them_does(name: str, made: Callable[[str], Critic], refiner: str) -> None:
    fixed, broken = against_single_shot(made(name), refiner, range(5 * QUESTIONS))
    assert broken - fixed <= ALLOWED * 5 * QUESTIONS, (fixed, broken)


ASKED = "SELECT title FROM item WHERE price > {}"
DRAWN = (
    ASKED,
    ASKED,
    ASKED,
    "SELECT id FROM item WHERE price > {}",
    "SELECT name FROM item WHERE price > {}",
)
READINGS = {"always False": (0.02, 0.02), "always True": (0.98, 0.98), "inverted": (0.1, 0.9)}
"""P(True) of a right query and of a wrong one."""


@pytest.mark.slow
def test_the_graph_itself(scripted: Callable[..., Any], shop: Path) -> None:
    """A thousand questions through every node; whatever follows the first draw is nonsense."""
    fixed = broken = 0
    for number in range(1000):
        dice = random.Random(number)
        limit = dice.randrange(10, 80)
        first = dice.choice(DRAWN)
        right, wrong = READINGS[dice.choice(list(READINGS))]
        nonsense = [
            f"SELECT {dice.randrange(3)} FROM item WHERE price > {dice.randrange(90)}" for _ in range(4)
        ]
        scripted([first.format(limit), *nonsense], [right if first == ASKED else wrong, wrong])
        given = {"question": f"What costs more than {limit}?", "database": str(shop)}
        final = graph.invoke(given, context=Context(model="scripted", refine=True))  # type: ignore[arg-type]
        is_right = final["sql"] == ASKED.format(limit)
        fixed += is_right and first != ASKED
        broken += first == ASKED and not is_right
    assert broken - fixed <= ALLOWED * 1000, (fixed, broken)
