"""The bike rental: round trips, bikes that were retired, repairs still open, riders of the same name."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from critiql.evals.data.everyday.rows import Rows, day, money, person

SCHEMA = """
CREATE TABLE stations (
  station_id INTEGER PRIMARY KEY, name TEXT NOT NULL, district TEXT NOT NULL,
  docks INTEGER NOT NULL, opened_on TEXT NOT NULL);
CREATE TABLE bikes (
  bike_id INTEGER PRIMARY KEY, model TEXT NOT NULL, bought_on TEXT NOT NULL,
  price REAL NOT NULL, retired_on TEXT);
CREATE TABLE riders (
  rider_id INTEGER PRIMARY KEY, name TEXT NOT NULL, district TEXT NOT NULL,
  joined_on TEXT NOT NULL, plan TEXT NOT NULL);
CREATE TABLE trips (
  trip_id INTEGER PRIMARY KEY, bike_id INTEGER NOT NULL REFERENCES bikes (bike_id),
  rider_id INTEGER NOT NULL REFERENCES riders (rider_id),
  start_station_id INTEGER NOT NULL REFERENCES stations (station_id),
  end_station_id INTEGER NOT NULL REFERENCES stations (station_id),
  started_at TEXT NOT NULL, ended_at TEXT NOT NULL, km REAL NOT NULL, fare REAL NOT NULL);
CREATE TABLE repairs (
  repair_id INTEGER PRIMARY KEY, bike_id INTEGER NOT NULL REFERENCES bikes (bike_id),
  reported_on TEXT NOT NULL, fixed_on TEXT, problem TEXT NOT NULL, cost REAL NOT NULL);
"""

DISTRICTS = ("Harbour", "Old Town", "Hillside", "Campus")
PLACES = ("Market", "Mill", "Bridge", "Park", "Library", "Theatre", "Tower", "School", "Garden")
MODELS = ("City", "Cargo", "Electric", "Kids")
PLANS = ("day", "month", "year")
PROBLEMS = ("flat tyre", "brakes", "chain", "lamp", "saddle", "battery")
HOURS = (7, 8, 8, 8, 9, 12, 13, 16, 17, 17, 18, 20)


def tables(rng: random.Random) -> dict[str, Rows]:
    """Rows of every table, in the order in which they can be inserted."""
    names = [f"{place} {kind}" for place in PLACES for kind in ("Square", "Street")]
    return {
        "stations": [
            (n, name, rng.choice(DISTRICTS), rng.randint(6, 30), day(rng, 2018, 5 * 365))
            for n, name in enumerate(rng.sample(names, 18), 1)
        ],
        "bikes": list(_bikes(rng)),
        "riders": [
            (n, " ".join(person(rng)), rng.choice(DISTRICTS), day(rng, 2020, 4 * 365), rng.choice(PLANS))
            for n in range(1, 141)
        ],
        "trips": list(_trips(rng)),
        "repairs": list(_repairs(rng)),
    }


def _bikes(rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, 81):
        retired = day(rng, 2024, 300) if rng.random() < 0.2 else None
        yield number, rng.choice(MODELS), day(rng, 2019, 4 * 365), money(rng, 300, 2400), retired


def _trips(rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, 1301):
        bike, rider = 1 + int(76 * rng.random() ** 2.4), 1 + int(130 * rng.random() ** 1.7)
        start = 1 + int(17 * rng.random() ** 1.5)
        end = start if rng.random() < 0.12 else rng.randint(1, 17)
        morning = date.fromisoformat(day(rng, 2023, 2 * 365))
        began = datetime(morning.year, morning.month, morning.day, rng.choice(HOURS), rng.randrange(60))
        over = began + timedelta(minutes=rng.randint(3, 170))
        km = round(rng.triangular(0.4, 14, 3), 1)
        yield number, bike, rider, start, end, str(began), str(over), km, money(rng, 1, 9)


def _repairs(rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, 151):
        reported = date.fromisoformat(day(rng, 2022, 3 * 365))
        fixed = str(reported + timedelta(days=rng.randint(0, 25))) if rng.random() < 0.85 else None
        yield (
            number,
            1 + int(70 * rng.random() ** 1.3),
            str(reported),
            fixed,
            rng.choice(PROBLEMS),
            money(rng, 5, 320),
        )
