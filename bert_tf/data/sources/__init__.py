"""Sources: where a task's examples are, and how its published files are read."""
