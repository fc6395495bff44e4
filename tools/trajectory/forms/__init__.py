"""How a trajectory is written: the printed form, JSON, and the round trip."""
