"""Builds classes.npz by asking the `tokenizers` library about every code point.

python -m bert_tf.text.byte_pairs.build_classes
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

from bert_tf.text.byte_pairs import classes

POINTS = [point for point in range(classes.LIMIT) if not 0xD800 <= point < 0xE000]
MARK = "!"  # of none of the classes


def build() -> dict[str, np.ndarray]:
    """The arrays of classes.npz: where runs of code points of a class begin, and the class of each run."""
    from tokenizers import Regex, normalizers

    text = "".join(map(chr, POINTS))
    found = np.full(classes.LIMIT, classes.OTHER, np.uint8)
    for pattern, number in ((r"\p{L}", classes.LETTER), (r"\p{N}", classes.NUMBER), (r"\s", classes.BLANK)):
        marked = normalizers.Replace(Regex(pattern), MARK).normalize_str(text)
        assert len(marked) == len(text)
        hits = np.frombuffer(marked.encode("utf-32-le"), np.uint32) != np.array(POINTS, np.uint32)
        assert (found[np.array(POINTS)[hits]] == classes.OTHER).all(), pattern
        found[np.array(POINTS)[hits]] = number
    found[ord(" ")] = classes.SPACE
    starts = np.flatnonzero(np.append(True, found[1:] != found[:-1]))
    return {"starts": starts.astype(np.int32), "classes": found[starts]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=pathlib.Path, default=classes.FILE, help="where to write (default: beside this file)"
    )
    out = parser.parse_args().out
    np.savez_compressed(out, allow_pickle=False, **build())
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
