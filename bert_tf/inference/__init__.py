"""A trained or exported model, opened and asked."""
