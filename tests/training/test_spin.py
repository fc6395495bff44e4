"""How long OpenMP's threads spin is settled before torch is loaded, which shares them with llama.cpp."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("given", "kept"), [(None, "300"), ("7", "7")])
@pytest.mark.process
def test_threads_spin_shortly_unless_somebody_says_otherwise(given: str | None, kept: str) -> None:
    said = {} if given is None else {"GOMP_SPINCOUNT": given}
    asked = "import os, sys, critiql.training; print(os.environ['GOMP_SPINCOUNT'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], env=said, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [kept, "False"]
