"""The map of characters that a SentencePiece model normalises with: `precompiled_charsmap`, bytes of a double array.

The array is Darts-clone's (https://github.com/s-yata/darts-clone): units of 32 bits, a key's bytes lead from the first
unit to that of its value, which is where its replacement begins in the text behind the array, ended by a zero byte.
"""

from __future__ import annotations

import os

import numpy as np

from bert_tf.errors import UserError

LONGEST = 5  # bytes of a key; longer ones, of which nmt_nfkc has hundreds of thousands, are never looked up
MOST_KEYS = 1 << 20


def read_charsmap(blob: bytes, where: str | os.PathLike[str]) -> dict[str, str]:
    """What each sequence of up to LONGEST bytes becomes.

    Args:
        where: the file, for errors.
    Raises: UserError for bytes that are no such map.
    """
    if not blob:
        return {}
    size = int.from_bytes(blob[:4], "little")
    if size % 4 or not 4 <= size <= len(blob) - 4:
        raise _refusal(where, f"an array of {size:,} bytes in {len(blob):,}")
    units = np.frombuffer(blob, "<u4", count=size // 4, offset=4).astype(np.int64)
    texts = blob[4 + size :]
    offsets = (units >> 10) << ((units & (1 << 9)) >> 6)
    labels, has_value = units & (0x80000000 | 0xFF), (units >> 8) & 1 == 1
    # A unit of label b at place p is the child of the node at p ^ b.
    children = np.flatnonzero((labels > 0) & (labels < 256))
    parents = children ^ labels[children]
    order = np.argsort(parents, kind="stable")
    children, parents = children[order], parents[order]
    found: dict[str, str] = {}
    nodes, prefixes = offsets[:1], [b""]
    for _ in range(LONGEST):
        first, stop = (np.searchsorted(parents, nodes, side=side) for side in ("left", "right"))
        owners = np.repeat(np.arange(len(nodes)), stop - first)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(stop - first) - (stop - first), stop - first)
        places = children[first[owners] + within]
        nodes = places ^ offsets[places]
        steps = labels[places].tolist()
        prefixes = [prefixes[owner] + bytes([step]) for owner, step in zip(owners.tolist(), steps, strict=True)]
        for prefix, node, ends in zip(prefixes, nodes.tolist(), has_value[places].tolist(), strict=True):
            if ends:
                start = int(units[node] & 0x7FFFFFFF) if node < len(units) else len(texts)
                stop_at = texts.find(b"\0", start)
                if start >= len(texts) or stop_at < 0:
                    raise _refusal(where, f"a replacement at byte {start:,} of {len(texts):,}")
                found[_text(prefix, where)] = _text(texts[start:stop_at], where)
        if len(nodes) > MOST_KEYS:
            raise _refusal(where, f"more than {MOST_KEYS:,} keys")
    return found


def _text(content: bytes, where: str | os.PathLike[str]) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise _refusal(where, f"bytes that are no UTF-8: {content!r:.80}") from None


def _refusal(where: str | os.PathLike[str], came: str) -> UserError:
    return UserError(
        f"{where}: `precompiled_charsmap` must be a map of characters as SentencePiece writes it. Received: {came}"
    )
