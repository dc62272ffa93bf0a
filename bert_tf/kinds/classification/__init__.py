"""One row of outputs for a text or a pair: classes, labels or numbers."""
