"""One side in a process of its own: python -m benchmarks.speed.side MODULE.FUNCTION '{"argument": "value"}'

It stays there, and makes a repetition for each line `once` of standard input; `answers` asks for what it answered. Its
replies begin with "= ", as libraries print, too.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import time

from benchmarks.speed.work import PAUSE_SECONDS, Work

SHOWN = (*("tensorflow", "keras", "ai_edge_litert", "torch", "transformers", "sentence_transformers"),
         *("onnxruntime", "openvino", "ctranslate2", "tokenizers"))  # fmt: skip


def main(place: str, arguments: str) -> None:
    module, _, function = place.rpartition(".")
    work: Work = getattr(importlib.import_module(f"benchmarks.speed.sides.{module}"), function)(**json.loads(arguments))
    reply({name: importlib.metadata.version(name) for name in SHOWN if name in sys.modules})
    for line in sys.stdin:
        if line.strip() == "answers":
            reply(None if work.answers is None else list(work.answers()))
            continue
        time.sleep(PAUSE_SECONDS)
        found = work.once()
        reply({"value": found.value, "more": found.more})


def reply(value: object) -> None:
    print("= " + json.dumps(value), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
