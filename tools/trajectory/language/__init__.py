"""The action language: its steps, the compiler from SQL and back, names and scopes."""
