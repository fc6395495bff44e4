"""Injecting an error of a given type into a right query."""
