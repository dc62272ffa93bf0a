"""How fast this library is next to others, in one interleaved run: python -m benchmarks.speed, or make bench."""
