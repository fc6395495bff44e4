"""The `critiql eval` commands."""
