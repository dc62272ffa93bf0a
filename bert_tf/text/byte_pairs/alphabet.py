"""The characters that stand for bytes in a vocabulary of byte-level pairs, as GPT-2 chose them."""

from __future__ import annotations

from collections.abc import Mapping

# Those of Latin-1 that can be seen stand for themselves, the others for characters from U+0100 on, in their order.
SEEN = (*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1))
HIDDEN = tuple(byte for byte in range(256) if byte not in SEEN)
ALPHABET: Mapping[int, str] = {byte: chr(byte) for byte in SEEN} | {b: chr(256 + i) for i, b in enumerate(HIDDEN)}
"""Byte -> its character."""
BYTES: Mapping[str, int] = {character: byte for byte, character in ALPHABET.items()}
"""Character -> its byte."""
SPACE = ALPHABET[ord(" ")]
# Characters that stand for no byte become one that Latin-1 does not have, the others that of their byte.
_LATIN = dict.fromkeys(range(256), "Ā") | {ord(c): chr(byte) for c, byte in BYTES.items()}


def bytes_of(token: str) -> bytes:
    """What a token stands for; one with other characters, as an added token may have, stands for itself in UTF-8.

    >>> bytes_of("Ġfilm"), bytes_of("<mask>"), bytes_of("Ã©").decode(), bytes_of("日")
    (b' film', b'<mask>', 'é', b'\\xe6\\x97\\xa5')
    """
    found = bytes_in(token)
    return token.encode("utf-8", "surrogatepass") if found is None else found


def bytes_in(token: str) -> bytes | None:
    """The bytes that a token's characters stand for; None if one stands for none."""
    try:
        return token.translate(_LATIN).encode("latin-1")
    except UnicodeEncodeError:
        return None


def of_bytes(data: bytes) -> str:
    """Bytes as a vocabulary writes them: the other way round."""
    return "".join(ALPHABET[byte] for byte in data)
