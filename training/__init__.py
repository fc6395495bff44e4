"""Training data made from verified queries; the heads and adapters that are fitted on it.

torch and llama.cpp share one OpenMP, which reads its environment when the first of them is loaded: in a fit,
torch. By default its threads spin while they wait for each other. A step of two threads on two cores that two
evaluations kept busy took 10 s so, and 4.7 s with the short spin of llama.cpp (0.5B, n = 3 each). It is set
here, since this runs before any part of the package can load torch.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "300")
