"""Which query is kept: the rule, the doubt, the limits, and what was fitted."""
