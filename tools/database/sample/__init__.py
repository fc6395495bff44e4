"""The sample database, built from a script."""
