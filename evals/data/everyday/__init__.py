"""Everyday questions, as analysts ask them, on four small databases of this project's own."""
