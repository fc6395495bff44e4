"""Running systems over a task: the runner, its stores, its exports."""
