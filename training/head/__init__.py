"""The error-token head: hidden states, the fit, its card."""
