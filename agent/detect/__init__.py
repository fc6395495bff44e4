"""Error types that a model names: the prompt, the heads and what they say."""
