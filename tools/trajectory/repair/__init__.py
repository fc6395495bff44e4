"""What a model may change in a trajectory: masked names and edit scripts."""
