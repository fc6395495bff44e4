"""What is fitted on train: critic, confidence, displacement, and the theory of loops."""
