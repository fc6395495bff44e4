"""Language models: the registry, the llama.cpp runtime, hosted models, one interface."""
