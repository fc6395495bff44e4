"""Error types: one file each, the tuple that holds them, perturbation and detection."""
