"""Every consumer that a document or hint names opens what the exports write: python -m benchmarks.consumers"""
