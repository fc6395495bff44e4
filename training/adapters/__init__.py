"""Adapters: the model as torch knows it, fits, files and cards."""
