"""Tools: what the agent calls; none of them holds a conversation."""
