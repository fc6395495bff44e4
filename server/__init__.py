"""Doors for other programs: one HTTP server, the Model Context Protocol, and the OpenAI chat protocol."""
