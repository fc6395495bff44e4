"""The agent: its state, its roles, and the rule by which a repair may replace a query."""
