"""Builds tables.npz by asking the `tokenizers` library about every code point.

python -m bert_tf.text.sentence_pieces.build_tables
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bert_tf.text.sentence_pieces import tables
from bert_tf.text.wordpiece.build_tables import combining_classes

POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
LETTER, OTHER, FIRST_MARK, SECOND_MARK = "q", "z", "\u0308", "\u0301"
SEPARATOR, CHUNK = "qzq", 50_000  # The separator stands in no replacement.
BLOCK = 256


def build() -> dict[str, np.ndarray]:
    """The arrays of tables.npz."""
    from tokenizers import Regex, normalizers, pre_tokenizers

    arrays: dict[str, np.ndarray] = {}
    for name, normalizer in (
        ("lower", normalizers.Lowercase()),
        ("nfd", normalizers.NFD()),
        ("nfkd", normalizers.NFKD()),
    ):
        changed = {point: text for point, text in normalize_each(normalizer.normalize_str) if text != chr(point)}
        texts = "".join(changed.values())
        arrays |= {
            f"{name}_points": np.array(list(changed), np.int32),
            f"{name}_lengths": np.array([len(text) for text in changed.values()], np.uint8),
            f"{name}_texts": np.frombuffer(texts.encode("utf-32-le"), np.uint32),
        }
    classes = combining_classes()
    arrays |= {
        "combining_points": np.array([ord(c) for c in classes], np.int32),
        "combining_classes": np.array(list(classes.values()), np.uint8),
    } | pairs(arrays)
    removed = dict(normalize_each(normalizers.StripAccents().normalize_str))
    sets = {"marks": [point for point in POINTS if removed[point] == ""]}
    white = normalizers.Replace(Regex(r"\s"), "")
    sets["regex_white"] = [point for point, text in normalize_each(white.normalize_str) if text == ""]
    split = pre_tokenizers.Punctuation().pre_tokenize_str
    sets["punctuation"] = [p for p in POINTS if len(split(f"{LETTER}{chr(p)}{LETTER}")) > 1]
    return arrays | {f"{name}_runs": runs_of(found) for name, found in (sets | clusters()).items()}


def pairs(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Two code points, and what NFC makes of them: one that NFD takes apart into these, perhaps in more steps."""
    from tokenizers import normalizers

    compose, decompose = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
    found = {}
    for point in arrays["nfd_points"].tolist():
        whole = decompose(chr(point))
        if compose(whole) != chr(point):
            continue
        # All but the last composed again: U+1EA5 is U+00E2 and an accent.
        first, second = compose(whole[:-1]), whole[-1]
        if len(first) == 1:
            found[ord(first), ord(second)] = point
    columns = zip(*((a, b, composed) for (a, b), composed in found.items()), strict=True)
    names = ("pair_firsts", "pair_seconds", "pair_composed")
    return {name: np.array(column, np.int32) for name, column in zip(names, columns, strict=True)}


def normalize_each(normalize: Callable[[str], str]) -> Iterable[tuple[int, str]]:
    """Each code point, and the text that it becomes."""
    for start in range(0, len(POINTS), CHUNK):
        chunk = POINTS[start : start + CHUNK]
        parts = normalize(SEPARATOR.join(["", *map(chr, chunk), ""])).split(SEPARATOR)[1:-1]
        assert len(parts) == len(chunk)
        yield from zip(chunk, parts, strict=True)


def clusters() -> dict[str, list[int]]:
    """Which code points go with the one before them, which with the one behind, and which stand alone.

    A cluster that begins with a sequence of the library's map of characters becomes one whole, so marks in it vanish.
    """
    letter, mark = changing(LETTER), changing(FIRST_MARK)
    joins = [p for p in POINTS if chr(p) != LETTER and letter(LETTER + chr(p)) == OTHER]
    prepends = [p for p in POINTS if letter(chr(p) + LETTER + FIRST_MARK).endswith(OTHER + FIRST_MARK)]
    control = [p for p in POINTS if not mark(chr(p) + FIRST_MARK + SECOND_MARK).endswith(SECOND_MARK)]
    return {"joins": joins, "prepends": prepends, "control": control}


def changing(key: str) -> Callable[[str], str]:
    """The library's normaliser by a map of this key alone, to OTHER: each byte of it leads to a block of its own."""
    from tokenizers import normalizers

    content = key.encode()
    units = np.zeros(BLOCK * (len(content) + 2), np.uint32)
    place = 0
    for depth, byte in enumerate(content):
        units[place] |= (BLOCK * (depth + 1) ^ place) << 10
        place = BLOCK * (depth + 1) ^ byte
        units[place] = byte
    units[place] |= (BLOCK * (len(content) + 1) ^ place) << 10 | 1 << 8
    units[BLOCK * (len(content) + 1)] = 1 << 31  # The replacement begins at byte 0 of the texts.
    precompiled: Any = normalizers.Precompiled
    return precompiled(
        len(units.tobytes()).to_bytes(4, "little") + units.tobytes() + OTHER.encode() + b"\0"
    ).normalize_str


def runs_of(points: Iterable[int]) -> np.ndarray:
    """Where runs begin and end, in turn."""
    marks = np.zeros(0x110001, np.int8)
    marks[list(points)] = 1
    return np.flatnonzero(np.diff(np.concatenate([[0], marks]))).astype(np.int32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=pathlib.Path, default=tables.FILE, help="where to write (default: beside this file)"
    )
    out = parser.parse_args().out
    np.savez_compressed(out, allow_pickle=False, **build())
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
