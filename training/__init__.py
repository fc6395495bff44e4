"""Training data made from verified queries, and fitting the detector on it."""
