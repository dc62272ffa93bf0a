"""The comparisons of parity.py: each gives a name and the largest absolute difference."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.parity_inputs import PACK_LENGTH, by_text, largest_difference, packed_inputs, padded_inputs
from benchmarks.parity_training import SETTINGS, deal, train
from bert_tf.models import BertBackbone, BertClassifier
from bert_tf.models.pretrained import save_model
from bert_tf.text import BertTokenizer
from bert_tf.weights import resolve

LABELS = ("bad", "so so", "good")
SHARD_BYTES = 10_000_000


class Torch:
    """PyTorch and Transformers in another process.

    Args:
        python: the interpreter that has them.
        scratch: a folder for what is passed to and fro.
    """

    def __init__(self, python: str, scratch: Path) -> None:
        self.python, self.scratch = python, scratch

    def ask(self, job: str, **arguments: Any) -> dict[str, Any]:
        """Runs a job of torch_side.py. Raises: SystemExit with its last words if it fails."""
        (self.scratch / "arguments.json").write_text(json.dumps(arguments), encoding="utf-8")
        result = self.scratch / "result.npz"
        script = Path(__file__).with_name("torch_side.py")
        command = [self.python, str(script), job, str(self.scratch / "arguments.json"), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"PyTorch's side failed:\n{done.stderr[-2000:]}")
        with np.load(result) as file:
            return dict(file)


def run(where: str, sets: dict[str, list[str]], torch: Torch) -> Iterator[tuple[str, float]]:
    """All comparisons, one after the other."""
    tokenizer = BertTokenizer.from_pretrained(where)
    for name, texts in sets.items():
        yield from _hidden_states(where, tokenizer, name, texts, torch)
    yield from _folders_for_transformers(where, tokenizer, next(iter(sets.values())), torch)
    yield from _training(where, tokenizer, next(iter(sets.values())), torch)
    yield from _google(torch)


def _hidden_states(
    where: str, tokenizer: Any, name: str, texts: list[str], torch: Torch
) -> Iterator[tuple[str, float]]:
    """Token ids, every hidden state and the pooled output, padded and packed."""
    theirs = torch.ask("reference", folder=str(resolve(where)), texts=texts)
    lengths, ends = theirs["lengths"], np.cumsum(theirs["lengths"])
    ids = [theirs["token_ids"][end - length : end].tolist() for length, end in zip(lengths, ends, strict=True)]
    print(f"{name}: {len(texts)} texts of {lengths.min()} to {lengths.max()} tokens, {ends[-1]} in all")
    ours = tokenizer.encode_ragged(texts, max_length=512)["token_ids"].to_list()
    yield f"{name}: texts with other token ids", float(sum(a != b for a, b in zip(ours, ids, strict=True)))
    backbone = BertBackbone.from_pretrained(where)
    for packed in (False, True):
        found, pooled = by_text(backbone, ids, packed=packed)
        states = np.concatenate(found, axis=1)  # [L+1, tokens, D]
        kind = "packed" if packed else "padded"
        for layer, (state, expected) in enumerate(zip(states, theirs["hidden_states"], strict=True)):
            place = f"block {layer}" if layer else "embeddings"
            yield f"{name}, {kind}: hidden states after {place}", largest_difference(state, expected)
        yield f"{name}, {kind}: pooled output", largest_difference(pooled, theirs["pooled_output"])


def _folders_for_transformers(
    where: str, tokenizer: Any, texts: list[str], torch: Torch
) -> Iterator[tuple[str, float]]:
    """A classifier saved by us, in one file and in shards, gives the same logits and loss in Transformers."""
    model = BertClassifier.from_pretrained(where, num_classes=len(LABELS), labels=LABELS)
    labels = list(itertools.islice(itertools.cycle(range(len(LABELS))), len(texts)))
    inputs = tokenizer(texts)
    outputs = model.compute(inputs, labels=np.asarray(labels, np.int32))
    packed, places = packed_inputs([row[:n].tolist() for row, n in _rows(inputs)])
    packed_logits = np.asarray(model(packed))
    pooled = model.backbone(inputs)["pooled_output"]
    for name, shard_bytes in (("our folder", None), ("our folder in shards", SHARD_BYTES)):
        folder = torch.scratch / name.replace(" ", "_")
        save_model(model, folder, tokenizer, shard_bytes=shard_bytes)
        theirs = torch.ask("classify", folder=str(folder), texts=texts, labels=labels)
        print(
            f"{name}: {len(list(folder.glob('*.safetensors')))} files; Transformers' complaints: {theirs['troubles']}"
        )
        yield f"{name}: complaints of Transformers", float(len(theirs["troubles"]))
        yield f"{name}: class names that differ", float(tuple(theirs["class_names"]) != LABELS)
        yield f"{name}: token ids that differ", largest_difference(inputs["token_ids"], theirs["token_ids"])
        yield f"{name}: logits", largest_difference(outputs["logits"], theirs["logits"])
        unpacked = np.stack([packed_logits[row, slot] for row, _, slot in places])
        yield f"{name}: logits of packed rows", largest_difference(unpacked, theirs["logits"])
        yield f"{name}: loss", largest_difference(outputs["loss"], theirs["loss"])
        yield f"{name}: pooled output of BertModel", largest_difference(pooled, theirs["pooled_output"])


def _training(where: str, tokenizer: Any, texts: list[str], torch: Torch) -> Iterator[tuple[str, float]]:
    """The same updates on the same examples, theirs padded and ours padded and packed: each loss, and logits after."""
    ids = tokenizer.encode_ragged(texts, max_length=PACK_LENGTH)["token_ids"].to_list()
    labels = list(itertools.islice(itertools.cycle((0, 1, 1, 0, 1)), len(texts)))
    batches = deal(len(texts), int(SETTINGS["total_steps"]), 16)
    untrained = BertClassifier.from_pretrained(where, num_classes=2)
    folder = torch.scratch / "untrained"
    save_model(untrained, folder, tokenizer)
    theirs = torch.ask("train", folder=str(folder), ids=ids, labels=labels, batches=batches, settings=SETTINGS)
    for kind, pack_length in (("padded", None), ("packed", PACK_LENGTH)):
        model = BertClassifier.from_pretrained(folder, hidden_dropout=0.0, attention_dropout=0.0)
        ours = train(model, ids, labels, batches, SETTINGS, pack_length=pack_length)
        name = f"{len(batches)} updates, {kind}"
        first, last = theirs["loss"][[0, -1]]
        print(f"{name}: Transformers' loss goes from {first:.3f} to {last:.3f}")
        yield f"{name}: losses", largest_difference(ours["loss"], theirs["loss"])
        yield f"{name}: learning rates", largest_difference(ours["rate"], theirs["rate"])
        norms = largest_difference(ours["norm"] / theirs["norm"], np.ones_like(theirs["norm"]))
        yield f"{name}: norms of gradients, relative", norms
        yield f"{name}: logits after them", largest_difference(model(padded_inputs(ids)), theirs["logits"])


def _rows(inputs: dict[str, Any]) -> Iterator[tuple[np.ndarray, int]]:
    lengths = np.asarray(inputs["padding_mask"]).sum(axis=1)
    return zip(np.asarray(inputs["token_ids"]), lengths, strict=True)


def _google(torch: Torch) -> Iterator[tuple[str, float]]:
    """Random PyTorch weights -> our model -> a TF 1 checkpoint -> our model: the outputs are PyTorch's."""
    inputs = padded_inputs([[1, 2, 3, 4], [5, 6], list(range(7, 47))])
    mask = inputs["padding_mask"]
    random, google = torch.scratch / "random", torch.scratch / "google"
    theirs = torch.ask(
        "random_model", folder=str(random), token_ids=inputs["token_ids"].tolist(), padding_mask=mask.tolist()
    )
    save_model(BertBackbone.from_pretrained(random), google, format="google")
    ours, real = BertBackbone.from_pretrained(google)(inputs), mask.astype(bool)
    sequence = np.asarray(ours["sequence_output"])[real]
    yield "Google TF 1 checkpoint: sequence output", largest_difference(sequence, theirs["sequence_output"][real])
    yield "Google TF 1 checkpoint: pooled output", largest_difference(ours["pooled_output"], theirs["pooled_output"])
