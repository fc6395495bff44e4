"""Action trajectories: the procedural twin of a SQL query, and the compiler between the two."""
