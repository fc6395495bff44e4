"""Training sets, made from queries that are known to be right."""
