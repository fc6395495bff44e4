"""llama.cpp in this process: weights, key-value state, sampling, chat, adapters."""
