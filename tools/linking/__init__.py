"""Which tables, columns and values a question speaks of."""
