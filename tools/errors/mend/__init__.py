"""Queries written anew by code, for rules that know what is meant."""
