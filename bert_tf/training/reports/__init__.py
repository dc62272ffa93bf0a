"""What a run says of itself: logs, rates, results, and what it began with."""
