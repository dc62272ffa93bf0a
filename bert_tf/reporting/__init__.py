"""What a finished run leaves for people: a report page with figures, its mistakes as a table, and a model card."""
