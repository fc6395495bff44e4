"""A trajectory step by step: in words, with row counts, as evidence."""
