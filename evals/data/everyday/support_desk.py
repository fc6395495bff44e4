"""The support desk: tickets that nobody took, some still open, some unrated; subscriptions that ended."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from critiql.evals.data.everyday.rows import Rows, day, person

SCHEMA = """
CREATE TABLE companies (
  company_id INTEGER PRIMARY KEY, name TEXT NOT NULL, industry TEXT NOT NULL, country TEXT NOT NULL);
CREATE TABLE plans (plan_id INTEGER PRIMARY KEY, name TEXT NOT NULL, monthly_price REAL NOT NULL);
CREATE TABLE subscriptions (
  subscription_id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL REFERENCES companies (company_id),
  plan_id INTEGER NOT NULL REFERENCES plans (plan_id), started_on TEXT NOT NULL, ended_on TEXT,
  seats INTEGER NOT NULL);
CREATE TABLE teams (team_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE agents (
  agent_id INTEGER PRIMARY KEY, name TEXT NOT NULL, team_id INTEGER NOT NULL REFERENCES teams (team_id),
  joined_on TEXT NOT NULL);
CREATE TABLE tickets (
  ticket_id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL REFERENCES companies (company_id),
  agent_id INTEGER REFERENCES agents (agent_id), opened_at TEXT NOT NULL, closed_at TEXT,
  priority TEXT NOT NULL, topic TEXT NOT NULL, rating INTEGER);
CREATE TABLE messages (
  message_id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES tickets (ticket_id),
  sender TEXT NOT NULL, sent_at TEXT NOT NULL, words INTEGER NOT NULL);
"""

INDUSTRIES = ("retail", "health", "transport", "media")
COUNTRIES = ("Kenya", "Norway", "Chile", "Japan")
COLOURS = ("Amber", "Birch", "Copper", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper")
KINDS = ("Works", "Systems", "Foods", "Partners", "Press", "Lines")
PLANS = (("Starter", 9.0), ("Team", 19.0), ("Business", 39.0))
TEAMS = ("Billing", "Technical", "Onboarding")
PRIORITIES = ("low", "normal", "normal", "high", "urgent")
TOPICS = ("billing", "billing", "login", "login", "login", "export", "performance", "other")


def tables(rng: random.Random) -> dict[str, Rows]:
    """Rows of every table, in the order in which they can be inserted."""
    names = [f"{colour} {kind}" for colour in COLOURS for kind in KINDS]
    tickets = list(_tickets(rng))
    return {
        "companies": [
            (n, name, rng.choice(INDUSTRIES), rng.choice(COUNTRIES))
            for n, name in enumerate(rng.sample(names, 50), 1)
        ],
        "plans": [(n, *plan) for n, plan in enumerate(PLANS, 1)],
        "subscriptions": list(_subscriptions(rng)),
        "teams": list(enumerate(TEAMS, 1)),
        "agents": [
            (n, " ".join(person(rng)), rng.randint(1, 3), day(rng, 2018, 5 * 365)) for n in range(1, 25)
        ],
        "tickets": tickets,
        "messages": list(_messages(rng, tickets)),
    }


def _subscriptions(rng: random.Random) -> Iterator[tuple[object, ...]]:
    number = 0
    for company in rng.sample(range(1, 51), 44):
        started = date.fromisoformat(day(rng, 2020, 500))
        for _ in range(rng.randint(1, 3)):
            number += 1
            ended = started + timedelta(days=rng.randint(120, 700))
            running = ended > date(2024, 6, 1)
            seats = rng.randint(2, 180)
            yield number, company, rng.randint(1, 3), str(started), None if running else str(ended), seats
            if running:
                break
            started = ended


def _tickets(rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, 951):
        morning = date.fromisoformat(day(rng, 2023, 2 * 365))
        opened = datetime(morning.year, morning.month, morning.day, rng.randint(6, 20), rng.randrange(60))
        closed = (
            str(opened + timedelta(minutes=int(6000 * rng.random() ** 2) + 5))
            if rng.random() < 0.88
            else None
        )
        agent = 1 + int(22 * rng.random() ** 1.3) if closed or rng.random() < 0.5 else None
        rating = rng.randint(1, 5) if closed and rng.random() < 0.6 else None
        company = 1 + int(46 * rng.random() ** 2.4)
        yield number, company, agent, str(opened), closed, rng.choice(PRIORITIES), rng.choice(TOPICS), rating


def _messages(rng: random.Random, tickets: list[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    number = 0
    for ticket in tickets:
        for turn in range(int(12 * rng.random() ** 2)):
            number += 1
            sent = datetime.fromisoformat(str(ticket[3])) + timedelta(minutes=30 * turn + rng.randint(1, 25))
            yield number, ticket[0], ("agent", "customer")[turn % 2 == 0], str(sent), rng.randint(5, 160)
