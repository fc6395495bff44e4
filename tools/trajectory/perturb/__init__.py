"""Making one known mistake in a right trajectory."""
