"""Asks TensorFlow Serving over REST; the standard library is all it needs.

    python rest_client.py --model=sst2 "A joy from start to end." "Two hours I want back."
    python rest_client.py --model=squad --inputs='[{"question": "Who?", "context": "Ann wrote it."}]'

Prints an answer a line, as JSON. Of lists that are padded to the longest of the batch, `count` says how many are meant.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any


def predict(address: str, model: str, instances: list[Any], *, timeout_s: float = 30.0) -> list[Any]:
    """One answer an instance: a text, or a dict of the texts where the model takes two.

    Raises: RuntimeError with the server's message where it refuses.
    """
    request = urllib.request.Request(
        f"http://{address}/v1/models/{model}:predict",
        data=json.dumps({"instances": instances}).encode("utf-8"),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            return json.load(response)["predictions"]
    except urllib.error.HTTPError as error:
        with error:
            raise RuntimeError(f"{error.code}: {error.read().decode('utf-8', 'replace')}") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="localhost:8501", help="default: localhost:8501")
    parser.add_argument("--model", required=True, help="its name, as the server knows it")
    parser.add_argument("--inputs", type=json.loads, help="instances as JSON, instead of texts")
    parser.add_argument("texts", nargs="*", help="texts, for a model that takes one")
    flags = parser.parse_args()
    try:
        answers = predict(flags.address, flags.model, flags.inputs or flags.texts)
    except (OSError, RuntimeError) as error:
        sys.exit(f"rest_client.py: {flags.address}: {error}")
    for answer in answers:
        print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
