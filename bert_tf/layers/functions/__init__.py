"""Functions that layers share and that have no weights."""
