"""Evaluation: data sets, metrics, call cache, runner, calibration, report."""
