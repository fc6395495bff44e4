"""The assistant: a conversation about a database, around the graph that answers one question."""
