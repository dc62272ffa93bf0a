"""Builds compositions.npz by asking the `tokenizers` library how each code point is decomposed and composed.

python -m bert_tf.text.byte_pairs.composed.build_compositions
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

from bert_tf.text.byte_pairs.composed import compositions
from bert_tf.text.wordpiece.build_tables import POINTS, combining_classes, normalize_each


def build() -> dict[str, np.ndarray]:
    """The arrays of compositions.npz, see `compositions.Tables`."""
    from tokenizers.normalizers import NFC

    compose = NFC().normalize_str
    whole = normalize_each(POINTS, nfd=True)
    parts = {chr(point): text for point, text in whole.items() if text != chr(point)}
    classes = combining_classes()
    pairs: dict[tuple[str, str], str] = {}
    for character, text in parts.items():
        if len(text) > 1 and compose(text) == character:
            first = compose(text[:-1])
            assert len(first) == 1, character
            pairs[first, text[-1]] = character
    of_hangul = compositions.hangul()
    syllables = set(map(chr, of_hangul[0].tolist()))
    known = {(chr(a), chr(b)): chr(c) for a, b, c in of_hangul[3].tolist()}
    assert known == {pair: whole for pair, whole in pairs.items() if whole in syllables}
    assert "".join(parts[chr(c)] for c in of_hangul[0].tolist()) == "".join(map(chr, of_hangul[2].tolist()))
    pairs = {pair: whole for pair, whole in pairs.items() if whole not in syllables}
    split = [character for character in parts if character not in syllables]
    return {
        "split": np.array([ord(c) for c in split], np.int32),
        "lengths": np.array([len(parts[c]) for c in split], np.uint8),
        "parts": np.array([ord(c) for character in split for c in parts[character]], np.int32),
        "marks": np.array([ord(c) for c in classes], np.int32),
        "classes": np.array(list(classes.values()), np.uint8),
        "pairs": np.array([[ord(a), ord(b), ord(c)] for (a, b), c in pairs.items()], np.int32),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=pathlib.Path, default=compositions.FILE, help="where to write (default: beside this file)"
    )
    out = parser.parse_args().out
    np.savez_compressed(out, allow_pickle=False, **build())
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
