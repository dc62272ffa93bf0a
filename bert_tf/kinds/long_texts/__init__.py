"""Texts that are longer than a row: windows of them, and what is said of those that are cut."""
