"""Small random folders as other libraries write them, with settings drawn at random, and what those libraries answer.

The rule that they hold: what this project gives for a folder equals what its own library gives to 1e-5, or the folder
is refused by the name of the setting. `tests/weights/test_random_folders.py` asks it of the folders that are stored in
tests/golden/random_folders.zip; `check` asks it of any others:

    PEER -m benchmarks.random_folders.transformers_side OUT --seed=1 --count=40
    PEER -m benchmarks.random_folders.distilbert_side OUT --seed=1 --count=40
    PEER -m benchmarks.random_folders.sentence_transformers_side OUT --seed=1 --count=14
    python -m benchmarks.random_folders.keras_hub_side OUT --seed=1 --count=12
    python -m benchmarks.random_folders.google_side OUT --seed=1 --count=12
    python -m benchmarks.random_folders.check OUT [--pack=tests/golden/random_folders.zip]

PEER is a Python with torch, transformers and sentence-transformers. The same seeds give the same settings; weights and
answers depend on the libraries' versions, which each truth.json names.
"""
