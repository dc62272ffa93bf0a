"""Requests that no client should send, and very many that any may, to a SavedModel without Python TensorFlow.

    python -m benchmarks.hostile models/sst2/1

1. 2,000 hostile requests: each gets an answer or an error, and the process lives.
2. 20,000 requests: the memory in use stays what it was after the first 2,000.
3. 16 threads at once get what one gets.

Prints figures as JSON; the status is 1 where one of the three does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.c_api import Session

WORDS = ("a", "film", "that", "is", "good", "or", "bad", "and", "goes", "on", "for", "hours", "in", "Paris", "with",
         "Ann", "who", "was", "not", "there", "12", "times")  # fmt: skip
GROWTH = 0.02, 32e6  # memory may grow by this share, or by so many bytes: the allocator's own spread


def long_text(rng: np.random.Generator, words: int) -> bytes:
    return " ".join(rng.choice(WORDS, size=words)).encode()


HOSTILE = {
    "empty": lambda rng: b"",
    "white space": lambda rng: b" \n\t\r\x0b\x0c\xc2\xa0" * int(rng.integers(1, 50)),
    "not UTF-8": lambda rng: rng.bytes(int(rng.integers(1, 300))),
    "cut in a character": lambda rng: "naïve 有趣 𝔘".encode()[: int(rng.integers(1, 18))],
    "lone surrogates": lambda rng: b"good \xed\xa0\x80 film \xed\xbf\xbf" * int(rng.integers(1, 20)),
    "overlong": lambda rng: b"\xc0\x80\xe0\x80\xaf\xf8\x88\x80\x80\x80" * int(rng.integers(1, 20)),
    "nulls": lambda rng: b"good\x00film\x00" * int(rng.integers(1, 50)),
    "controls": lambda rng: bytes(range(32)) + b"\x7f\xc2\x80\xc2\x9f\xe2\x80\xae\xef\xbb\xbf",
    "marks": lambda rng: ("e" + "\u0301\u0323" * int(rng.integers(1, 3000))).encode(),
    "special tokens": lambda rng: b"[CLS] good [SEP] [MASK][PAD] film [SEP]" * int(rng.integers(1, 50)),
    "a long word": lambda rng: b"x" * int(rng.integers(100, 20_000)),
    "10,000 words": lambda rng: long_text(rng, 10_000),
    "not a character": lambda rng: "\uffff\ufdd0\U0010ffff\ue000".encode() * int(rng.integers(1, 50)),
    "punctuation": lambda rng: b"!?.,;:'\"()[]{}" * int(rng.integers(1, 300)),
    "1 MB of words": lambda rng: long_text(rng, 250_000)[: 1 << 20],
    "1 MB of one word": lambda rng: b"a" * (1 << 20),
    "1 MB not UTF-8": lambda rng: rng.bytes(1 << 20),
}
SHAPES = ("a scalar", "rank 2", "rank 3", "no texts", "numbers", "nothing", "one side longer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saved_model")
    parser.add_argument("--hostile", type=int, default=2000, help="hostile requests; default: 2000")
    parser.add_argument("--requests", type=int, default=20_000, help="requests for the memory; default: 20000")
    parser.add_argument("--threads", type=int, default=16, help="default: 16")
    parser.add_argument("--megabytes", type=int, default=60, help="of the hostile, so many of 1 MB; default: 60")
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    session = Session(flags.saved_model)
    columns = list(session.signatures["serving_default"].inputs)
    rng = np.random.default_rng(flags.seed)
    found = {
        "hostile": hostile(session, columns, rng, count=flags.hostile, megabytes=flags.megabytes),
        "memory": memory(session, columns, rng, count=flags.requests),
        "threads": threads(session, columns, rng, count=flags.threads),
    }
    print(json.dumps(found, indent=2))
    assert "tensorflow" not in sys.modules
    sys.exit(0 if found["memory"]["is_flat"] and found["threads"]["is_equal"] else 1)


def hostile(
    session: Session, columns: Sequence[str], rng: np.random.Generator, *, count: int, megabytes: int
) -> dict[str, Any]:
    """Sends each sort of request in turn, 1 to 4 texts of mixed sorts; then says how each went."""
    small = [name for name in HOSTILE if not name.startswith("1 MB")]
    large = [name for name in HOSTILE if name.startswith("1 MB")]
    outcomes: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    slowest, started = (0.0, ""), time.perf_counter()
    for number in range(count):
        if number < megabytes:
            name = large[number % len(large)]
            inputs = {column: [HOSTILE[name](rng)] for column in columns}
        elif number % 8 == 0:
            name = SHAPES[number // 8 % len(SHAPES)]
            inputs = of_wrong_shape(name, columns)
        else:
            name = small[number % len(small)]
            others = [small[i] for i in rng.integers(0, len(small), size=int(rng.integers(0, 4)))]
            inputs = {column: [HOSTILE[sort](rng) for sort in (name, *others)] for column in columns}
        began = time.perf_counter()
        try:
            session.run(inputs)
            outcomes["answers"] += 1
        except RuntimeError as error:
            outcomes["errors"] += 1
            errors[f"{name}: {str(error).splitlines()[0][:120]}"] += 1
        slowest = max(slowest, (time.perf_counter() - began, name))
    return {
        "requests": count,
        **outcomes,
        "seconds": round(time.perf_counter() - started, 1),
        "slowest": f"{slowest[0]:.2f} s, {slowest[1]}",
        "error_messages": dict(errors),
    }


def of_wrong_shape(name: str, columns: Sequence[str]) -> Mapping[str, Any]:
    values: dict[str, Any] = {
        "a scalar": np.array(b"good film", object),
        "rank 2": [[b"good", b"film"]],
        "rank 3": [[[b"good"], [b"film"]]],
        "no texts": np.empty(0, object),
        "numbers": np.array([1, 2], np.int32),
    }
    if name == "nothing":
        return {}
    if name == "one side longer":
        return {column: [b"good"] * (number + 1) for number, column in enumerate(columns)}
    return dict.fromkeys(columns, values[name])


def memory(session: Session, columns: Sequence[str], rng: np.random.Generator, *, count: int) -> dict[str, Any]:
    """Memory in use after each tenth of `count` requests of 1 to 8 texts of up to 60 words."""
    used, started = [], time.perf_counter()
    for number in range(count):
        batch = int(rng.integers(1, 9))
        session.run({column: [long_text(rng, int(rng.integers(0, 60))) for _ in range(batch)] for column in columns})
        if (number + 1) % (count // 10) == 0:
            used.append(resident_bytes())
    growth = used[-1] - used[0]
    return {
        "requests": count,
        "seconds": round(time.perf_counter() - started, 1),
        "megabytes": [round(value / 1e6, 1) for value in used],
        "growth_megabytes": round(growth / 1e6, 1),
        "is_flat": bool(growth <= max(GROWTH[0] * used[0], GROWTH[1])),
    }


def threads(session: Session, columns: Sequence[str], rng: np.random.Generator, *, count: int) -> dict[str, Any]:
    """The same 25 requests a thread, one thread and then all at once."""
    requests = [
        {column: [long_text(rng, int(rng.integers(0, 60))) for _ in range(4)] for column in columns}
        for _ in range(25 * count)
    ]
    alone = [session.run(request) for request in requests]
    started = time.perf_counter()
    with futures.ThreadPoolExecutor(count) as pool:
        together = list(pool.map(session.run, requests))
    seconds = time.perf_counter() - started
    largest, is_equal = 0.0, True
    for one, other in zip(alone, together, strict=True):
        for name, value in one.items():
            if value.dtype.kind == "f":
                largest = max(largest, float(np.abs(value - other[name]).max(initial=0.0)))
            else:
                is_equal &= np.array_equal(value, other[name])
    return {
        "threads": count,
        "requests": len(requests),
        "seconds": round(seconds, 1),
        "largest_difference": largest,
        "is_equal": bool(is_equal and largest <= 1e-6),
    }


def resident_bytes() -> int:
    """Memory of this process, Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()
