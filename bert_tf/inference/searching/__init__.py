"""Search by vectors: an index built, brought up to date and asked, and which model made it."""
