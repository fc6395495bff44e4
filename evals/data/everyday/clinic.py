"""The clinic: people who share names, visits that did not take place, invoices that nobody paid."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from critiql.evals.data.everyday.rows import Rows, day, money, person

SCHEMA = """
CREATE TABLE departments (department_id INTEGER PRIMARY KEY, name TEXT NOT NULL, floor INTEGER NOT NULL);
CREATE TABLE doctors (
  doctor_id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
  department_id INTEGER NOT NULL REFERENCES departments (department_id),
  hired_on TEXT NOT NULL, salary INTEGER NOT NULL);
CREATE TABLE patients (
  patient_id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
  birth_date TEXT NOT NULL, city TEXT NOT NULL, insurer TEXT);
CREATE TABLE visits (
  visit_id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patients (patient_id),
  doctor_id INTEGER NOT NULL REFERENCES doctors (doctor_id), visited_on TEXT NOT NULL,
  reason TEXT NOT NULL, minutes INTEGER NOT NULL, status TEXT NOT NULL);
CREATE TABLE treatments (
  treatment_id INTEGER PRIMARY KEY, visit_id INTEGER NOT NULL REFERENCES visits (visit_id),
  name TEXT NOT NULL, cost REAL NOT NULL);
CREATE TABLE prescriptions (
  prescription_id INTEGER PRIMARY KEY, visit_id INTEGER NOT NULL REFERENCES visits (visit_id),
  medicine TEXT NOT NULL, days INTEGER NOT NULL);
CREATE TABLE invoices (
  invoice_id INTEGER PRIMARY KEY, visit_id INTEGER NOT NULL REFERENCES visits (visit_id),
  amount REAL NOT NULL, issued_on TEXT NOT NULL, paid_on TEXT);
"""

DEPARTMENTS = ("Cardiology", "Neurology", "Pediatrics", "Surgery", "Dermatology")
CITIES = ("Lakeside", "Millbrook", "Ashford", "Port Elm")
INSURERS = ("Helvia", "Norsa", "Unimed", None)
REASONS = ("check-up", "pain", "fever", "follow-up", "injury")
MEDICINES = tuple(
    f"{start}{end}" for start in ("Alvo", "Bero", "Cado", "Dexi") for end in ("pril", "zol", "min")
)
TREATMENTS = ("x-ray", "blood test", "injection", "stitches", "ultrasound")
STATUSES = ("done", "done", "done", "done", "cancelled", "no_show")


def tables(rng: random.Random) -> dict[str, Rows]:
    """Rows of every table, in the order in which they can be inserted."""
    visits = list(_visits(rng))
    done = [visit for visit in visits if visit[6] == "done"]
    others = set(rng.sample(range(1, 25), 5))
    seen = [visit for visit in done if visit[2] not in others]
    return {
        "departments": [(n, name, rng.randint(0, 4)) for n, name in enumerate(DEPARTMENTS, 1)],
        "doctors": [
            (n, *person(rng), rng.randint(1, 5), day(rng, 2010, 14 * 365), rng.randint(6100, 14000))
            for n in range(1, 31)
        ],
        "patients": [
            (n, *person(rng), day(rng, 1935, 85 * 365), rng.choice(CITIES), rng.choice(INSURERS))
            for n in range(1, 161)
        ],
        "visits": visits,
        "treatments": [
            (n, rng.choice(done)[0], rng.choice(TREATMENTS), money(rng, 15, 400)) for n in range(1, 701)
        ],
        "prescriptions": [
            (n, rng.choice(seen)[0], rng.choice(MEDICINES[: rng.randint(3, 12)]), rng.randint(3, 30))
            for n in range(1, 501)
        ],
        "invoices": list(_invoices(rng, done)),
    }


def _visits(rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, 901):
        patient, doctor = 1 + int(150 * rng.random() ** 1.6), 1 + int(29 * rng.random() ** 1.4)
        when = day(rng, 2022, 3 * 365)
        yield number, patient, doctor, when, rng.choice(REASONS), rng.randint(10, 75), rng.choice(STATUSES)


def _invoices(rng: random.Random, done: list[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    for number, visit in enumerate(rng.sample(done, int(len(done) * 0.85)), 1):
        issued = date.fromisoformat(str(visit[3])) + timedelta(days=rng.randint(0, 10))
        paid = issued + timedelta(days=rng.randint(1, 60)) if rng.random() < 0.8 else None
        yield number, visit[0], money(rng, 40, 900), issued.isoformat(), paid.isoformat() if paid else None
