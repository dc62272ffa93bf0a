"""Text to text: summaries and translations, written token by token."""
