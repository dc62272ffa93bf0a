"""Builds normalization.npz by asking the `tokenizers` library about every code point.

python -m bert_tf.text.wordpiece.build_tables
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

from bert_tf.text.wordpiece import tables

LIMIT = 0x110000
POINTS = [point for point in range(LIMIT) if not 0xD800 <= point < 0xE000]
MODES = ((True, True), (True, False), (False, True), (False, False))  # lowercase, strip_accents
SEPARATOR = "qzq"  # Stands in no code point's replacement.
CHUNK = 50_000


def build():
    """Returns the arrays of normalization.npz as a dict."""
    plain = normalize_each(POINTS, lowercase=False, strip_accents=False)
    with_cjk = normalize_each(POINTS, lowercase=False, strip_accents=False, handle_chinese_chars=True)
    cjk = {point for point in POINTS if with_cjk[point] != plain[point]}
    classes = combining_classes()
    decomposed = normalize_each(POINTS, nfd=True)
    expansions: dict[str, int] = {}
    arrays = {}
    for lowercase, strip in MODES:
        name = tables.mode_name(lowercase, strip)
        normalized = normalize_each(POINTS, lowercase=lowercase, strip_accents=strip)
        isolated = isolated_points(set("".join(normalized.values())))
        entries = np.zeros(LIMIT, np.int64)
        entries[0xD800:0xE000] = tables.REMOVED
        for point in POINTS:
            text, kind, delta, combining = normalized[point], tables.PLAIN, 0, 0
            if plain[point] == "":
                kind = tables.REMOVED
            elif text == "":
                kind, combining = tables.MARK, classes.get(decomposed[point][0], 0)
            elif text == " ":
                kind = tables.SPACE
            elif len(text) > 1:
                assert point not in cjk, hex(point)
                assert not any(c in isolated or c == " " for c in text), hex(point)
                kind, delta = tables.EXPANDS, expansions.setdefault(text, len(expansions)) - point
            else:
                delta = ord(text) - point
                kind = tables.CJK if point in cjk else tables.ISOLATED if text in isolated else tables.PLAIN
                combining = classes.get(text, 0) if strip else 0
                assert not combining or decomposed[point] == text, hex(point)
            entries[point] = delta << tables.KIND_BITS + tables.CLASS_BITS | combining << tables.KIND_BITS | kind
        pages, index = np.unique(entries.reshape(-1, 1 << tables.PAGE_BITS), axis=0, return_inverse=True)
        assert abs(entries).max() < 2**31
        arrays |= {f"{name}_pages": index.astype(np.uint16).ravel(), f"{name}_entries": pages.astype(np.int32).ravel()}
    points = [c for text in expansions for c in text]
    return arrays | {
        "expansion_lengths": np.array([len(text) for text in expansions], np.uint8),
        "expansion_points": np.array([ord(c) for c in points], np.int32),
        "expansion_classes": np.array([classes.get(c, 0) for c in points], np.uint8),
        **runs(),
    }


def normalize_each(points, *, nfd=False, handle_chinese_chars=False, **options):
    """Returns a dict from code point to the text it becomes."""
    from tokenizers import normalizers

    normalizer = normalizers.NFD()
    if not nfd:
        normalizer = normalizers.BertNormalizer(handle_chinese_chars=handle_chinese_chars, **options)
    texts = {}
    for start in range(0, len(points), CHUNK):
        chunk = points[start : start + CHUNK]
        parts = normalizer.normalize_str(SEPARATOR.join(["", *map(chr, chunk), ""])).split(SEPARATOR)[1:-1]
        assert len(parts) == len(chunk)
        texts |= dict(zip(chunk, parts, strict=True))
    return texts


def isolated_points(characters):
    """Returns those characters that the reference pre-tokeniser makes words of their own."""
    from tokenizers.pre_tokenizers import BertPreTokenizer

    words = [word for word, _ in BertPreTokenizer().pre_tokenize_str("a".join(["", *sorted(characters - {"a"}), ""]))]
    return {word for word in words if len(word) == 1 and word != "a"}


def runs():
    """Which code points make the reference's added token "q" part of a longer word, and which it strips."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.models import WordLevel

    alone, stripping = (Tokenizer(WordLevel({"?": 0}, unk_token="?")) for _ in range(2))
    alone.add_tokens([AddedToken("q", normalized=False, single_word=True)])
    stripping.add_tokens([AddedToken("q", normalized=False, rstrip=True)])
    found = {}
    for name, tokenizer, form, place in (("word", alone, " {}q", 2), ("space", stripping, "q{}!", 0)):
        held = np.zeros(LIMIT + 1, bool)
        for start in range(0, len(POINTS), CHUNK):
            points = POINTS[start : start + CHUNK]
            encoding = tokenizer.encode("".join(form.format(chr(point)) for point in points))
            ends = {a: b for number, (a, b) in zip(encoding.ids, encoding.offsets, strict=True) if number == 1}
            for i, point in enumerate(points):
                end = ends.get(3 * i + place)
                held[point] = end is None if name == "word" else end == 3 * i + 2
        found[f"{name}_runs"] = (1 + np.flatnonzero(held[1:] != held[:-1])).astype(np.int32)
    return found


def combining_classes():
    """Returns the canonical combining class of every code point where it is not 0, by how NFD orders pairs.

    Only the order of the classes matters, so a class is numbered by its rank in ascending order.
    """
    from tokenizers.normalizers import NFD

    def reorders(first, second):
        text = "".join(f"a{a}{b}" for a in first for b in second)
        out = NFD().normalize_str(text)
        assert len(out) == len(text)
        return [out[i : i + 3] != text[i : i + 3] for i in range(0, len(text), 3)]

    lowest, highest = "\u0334", "\u0345"  # Classes 1 and 240.
    whole = normalize_each(POINTS, nfd=True)
    single = [chr(p) for p in POINTS if whole[p] == chr(p)]
    above, below = reorders(single, [lowest]), reorders([highest], single)
    marks = [c for c, a, b in zip(single, above, below, strict=True) if a or b]
    rank = {c: sum(reorders([c], marks)) for c in marks}  # How many marks belong before this one.
    ranks = sorted(set(rank.values()))
    assert len(ranks) < 1 << tables.CLASS_BITS
    return {c: 1 + ranks.index(rank[c]) for c in marks}


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
