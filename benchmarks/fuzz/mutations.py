"""How valid files are changed: bytes by chance, and the values of JSON and TOML by values that they should not be."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

ODD = (
    None, True, False, 0, -1, 1, 3, 2**31, 2**63, -(2**63), 10**18, 10**30, 0.5, -0.0, 1e308, float("nan"),
    float("inf"), "", " ", "0", "false", "None", "a" * 5000, "\x00", "\x1b[31m", "../../etc/passwd", "/etc/passwd",
    "\U0001f600", "naïve 有趣", "\ud800", [], [[]], [None], [1, "a"], ["a"], [True], {}, {"": None}, {"a": {"b": []}},
    [-1], [10**18, 10**18], {"0": "a", "1": "a"},
)  # fmt: skip
NUMBERS = ("9" * 5000, "-1", "1e999", "0", "99999999999999999999", "NaN", "1.5")


def changed_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with one to four changes by chance."""
    for _ in range(int(rng.integers(1, 5))):
        size = len(content)
        start = int(rng.integers(0, size + 1))
        end = min(size, start + int(rng.choice([1, 2, 8, 64, max(1, size // 4)])))
        piece = content[start:end]
        choice = int(rng.integers(0, 9))
        if choice == 0:
            content = content[:start]
        elif choice == 1:
            content = content[:start] + content[end:]
        elif choice == 2:
            content = content[:end] + piece + content[end:]
        elif choice == 3:
            content = content[:start] + rng.bytes(len(piece)) + content[end:]
        elif choice == 4:
            content = content[:start] + bytes(len(piece)) + content[end:]
        elif choice == 5:
            content = content[:start] + b"\xff" * len(piece) + content[end:]
        elif choice == 6 and size:
            place = int(rng.integers(0, size))
            content = content[:place] + bytes([content[place] ^ (1 << int(rng.integers(0, 8)))]) + content[place + 1 :]
        elif choice == 7:
            content = content[:start] + str(rng.choice(NUMBERS)).encode() + content[start:]
        else:
            content = content[:start] + rng.bytes(int(rng.integers(1, 9))) + content[start:]
    return content


def changed_json(content: bytes, rng: np.random.Generator) -> bytes:
    """JSON with one to three of its values changed, taken away, renamed or put elsewhere; now and then very deep."""
    if rng.random() < 0.01:
        depth = int(rng.choice([100, 3000, 100_000]))
        return b'{"a":' * depth + b"1" + b"}" * depth if rng.random() < 0.5 else b"[" * depth + b"]" * depth
    value = changed_value(json.loads(content), rng)
    return json.dumps(value, ensure_ascii=bool(rng.integers(0, 2))).encode("utf-8", "surrogatepass")


def changed_lines(content: bytes, rng: np.random.Generator) -> bytes:
    """One line of JSON lines changed so."""
    lines = content.splitlines()
    place = int(rng.integers(0, len(lines)))
    lines[place] = changed_json(lines[place], rng)
    return b"\n".join(lines) + b"\n"


def changed_value(value: Any, rng: np.random.Generator) -> Any:
    """A JSON value with one to three changes."""
    holder = [value]
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(holder))
        parent, key = places[int(rng.integers(0, len(places)))]
        choice = int(rng.integers(0, 6))
        if choice == 0 and isinstance(parent, dict):
            del parent[key]
        elif choice == 1 and isinstance(parent, dict):
            parent[str(rng.choice(["", "x", "type", "__class__", "name"]))] = parent.pop(key)
        elif choice == 2:
            other, name = places[int(rng.integers(0, len(places)))]
            parent[key] = json.loads(json.dumps(other[name]))
        elif choice == 3 and isinstance(parent[key], (dict, list)):
            parent[key] = [parent[key]] if rng.integers(0, 2) else {"0": parent[key]}
        else:
            parent[key] = copy.deepcopy(ODD[int(rng.integers(0, len(ODD)))])
    return holder[0]


def changed_toml(content: bytes, rng: np.random.Generator) -> bytes:
    """TOML with the values of some lines changed, or whole lines."""
    lines = content.decode().splitlines()
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(0, len(lines)))
        key, equals, _ = lines[place].partition("=")
        odd = ODD[int(rng.integers(0, len(ODD)))]
        texts = [
            "[" * 3000, "{a.b.c = 1}", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "'''a", "0x" + "f" * 500,
            "inf", "nan", "-0", "[1, 'a', []]", "[]", "{}", "9" * 5000, '"none"', ".".join("a" * 500), "",
        ]  # fmt: skip
        new = str(rng.choice(texts)) if rng.random() < 0.5 else json.dumps(odd)
        choice = int(rng.integers(0, 5))
        if choice == 0:
            del lines[place]
        elif choice == 1:
            lines[place] = new
        elif equals:
            lines[place] = f"{key}= {new}"
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Any:
    """Each place of a value: what holds it, and the key there."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(part, (dict, list)):
            yield from _places(part)
