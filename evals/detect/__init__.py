"""How well errors are detected and repaired."""
