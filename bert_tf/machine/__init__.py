"""What the machine is good at: its precision, and its threads."""
