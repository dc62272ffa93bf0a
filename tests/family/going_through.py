"""A run of a member and a kind, trained once, and the parts of the library that it goes through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import bert_tf
from benchmarks.c_api_parity import compare, plain
from benchmarks.members_there import There, largest_difference, outputs_of
from benchmarks.random_run import make_backbone
from bert_tf import Tokenizer, evaluate, export, predict, train
from bert_tf.inference.pipeline import Pipeline
from bert_tf.inference.runs import open_run
from bert_tf.models.heads import MODELS
from bert_tf.weights.members import MEMBERS, end_of
from tests.exporting.runs import task_of
from tests.family.rows import ONE_NAME, reason_for
from tests.models.members import of_member

STEPS = 2
SETTINGS = [
    f"training.max_steps={STEPS}", f"training.evaluate_every_steps={STEPS}", "training.keep=last",
    "training.batch_examples=2", "training.precision=float32", "data.sequence_length=80",
    "evaluation.train_examples=0", "evaluation.diagnosed_examples=0",
]  # fmt: skip
EXAMPLES = 9  # of the validation set, that are answered
ODD = ("", "naïve 有趣 𝔘 \x00 film", "Ann was in Paris. " * 30, "e\u0301\u0323 good\n\tbad", "ÀÉÎ, who?")
TENSORS = 24  # tokens of a row
TOLERANCE = 1e-5  # of numbers in answers; see `bound_of` for a model's own outputs
# A head that Transformers does not have for a member -> that which it has in its place, and the class that loads it.
INSTEAD = {
    "ForPreTraining": ("ForMaskedLM", "AutoModelForMaskedLM"),
    "ForExtractiveSummarization": ("Model", "AutoModel"),
}
OUR_PARTS = ("pooler", "next_sentence", "sentence_score", "masked_lm")  # for which that class may have no place


def bound_of(*outputs: Any) -> float:
    """By how much outputs of a model may differ: `TOLERANCE`, above 1 as a share of the largest, as float32 rounds.

    Eager calls, graphs and Transformers lie about 7e-6 from float64 where a random DeBERTa's logits go to 6.
    """
    return TOLERANCE * max(1.0, *(float(np.abs(np.asarray(values)).max()) for values in outputs))


def numbers_in(value: Any) -> Iterator[float]:
    """Those of an object of JSON, however nested."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(item)
    elif isinstance(value, int | float):
        yield value


Command = Callable[[Any, list[str]], str]
"""Runs the `main` of a command, and gives what it printed."""


class Going:
    """A run and its folder. Each part stands on those before it.

    Args:
        folder: empty.
        command: see `Command`.
    """

    def __init__(self, folder: Path, member: str, kind: str, command: Command) -> None:
        self.folder, self.member, self.kind, self.command = folder, member, kind, command
        self.run = folder / "run"
        self.outcomes: dict[str, Exception | None] = {}

    def through(self, column: str) -> None:
        """Goes through a part, once. Raises: what it raised, or AssertionError where the run is not as it should be."""
        if column not in self.outcomes:
            try:
                getattr(self, column)()
                self.outcomes[column] = None
            except Exception as error:
                self.outcomes[column] = error
        found = self.outcomes[column]
        if found is not None:
            raise found

    def train(self) -> None:
        task, data = task_of(self.kind, self.folder / "task")
        backbone = self.folder / "backbone"
        make_backbone(backbone, **of_member(self.member, self.kind))
        flags = [f"--task={task}", f"--data={data}", f"--backbone={backbone}", f"--run={self.run}"]
        cache = f"pretraining.cache={self.folder / 'cache'}"
        result = json.loads(self.command(train.main, [*flags, "--set", *SETTINGS, cache]))
        assert result["steps"] == STEPS
        raw = json.loads((self.run / "model" / "config.json").read_text(encoding="utf-8"))
        assert raw["model_type"] == self.member
        assert raw["architectures"][0].startswith(MEMBERS[self.member].prefix)
        before, after = (load_file(place / "model.safetensors") for place in (backbone, self.run / "model"))
        base = MEMBERS[self.member].base
        pairs = [(array, after.get(name, after.get(f"{base}{name}"))) for name, array in before.items()]
        known = [(array, other) for array, other in pairs if other is not None]
        assert len(known) > len(before) / 2
        moved = [float(np.abs(array - other).max()) for array, other in known]
        assert np.isfinite(moved).all()
        assert 0 < max(moved) < 1

    def evaluate(self) -> None:
        self.through("train")
        found = json.loads(self.command(evaluate.main, [f"--run={self.run}"]))["metrics"]
        trained = json.loads((self.run / "result.json").read_text(encoding="utf-8"))["metrics"]
        if reason_for(self.member, self.kind, "evaluate") is not None:
            assert found.keys() == trained.keys()
            assert np.isfinite(list(found.values())).all()
            return
        assert found == pytest.approx(trained, rel=TOLERANCE, abs=TOLERANCE)

    def predict(self) -> None:
        self.through("train")
        inputs, answers = self.folder / "inputs.jsonl", self.folder / "answers.jsonl"
        columns = self.texts()
        names = open_run(self.run).kind.text_columns
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        inputs.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        asked = [f"--input={inputs}", f"--output={answers}"]
        self.command(predict.main, [f"--run={self.run}", *asked])
        found = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
        assert len(found) == len(rows)
        assert not [answer["error"] for answer in found if "error" in answer]
        assert all(np.isfinite(number) for answer in found for number in numbers_in(answer))

    def saved_model(self) -> None:
        self.through("predict")
        out = self.folder / "saved_model"
        self.export("saved_model", out)
        lines = (self.folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        columns, ours = self.texts(), [json.loads(line) for line in lines]
        pipeline = Pipeline(self.run)
        tensors = pipeline.kind.serving.signatures.tensors
        encoded = pipeline.tokenizer(*(list(column[:4]) for column in columns[:2]), max_length=TENSORS)
        inputs = {name: np.asarray(encoded[name]) for name in tensors.inputs}
        inputs = {name: rows[None] if len(tensors.shape) == 3 else rows for name, rows in inputs.items()}
        request = {"inputs": {name: rows.tolist() for name, rows in inputs.items()}, "signature": "tensors"}
        batches = [1, 3, len(ours) - 4]
        found = compare(pipeline.kind, ours, out / "1", columns, batches=batches, further=[request])
        assert found["answers"] == len(ours)
        assert found["largest_difference"] <= TOLERANCE
        (answer,) = found["further"]
        expected = tensors.run(pipeline.model, pipeline.tokenizer)(inputs)
        assert answer.get("outputs", answer).keys() == dict(expected).keys()
        for name, values in expected.items():
            values, served = np.asarray(values), np.asarray(plain(answer["outputs"][name]))
            if values.dtype.kind == "f":
                np.testing.assert_allclose(served, values, atol=bound_of(values), rtol=0, err_msg=name)
            else:  # texts
                np.testing.assert_array_equal(served.astype(values.dtype), values, err_msg=name)

    def tflite(self) -> None:
        self.through("train")
        self.export("tflite", self.folder / "tflite")

    def transformers(self, there: There) -> None:
        """Has `there` load the run's model, and asks both sides for the same texts, each with its own tokenizer."""
        self.through("train")
        folder = self.run / "model"
        raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        member, end, instead = MEMBERS[self.member], end_of(raw["architectures"][0]) or "", ""
        whole = member.parts_of(end)
        if end not in member.classes:
            end, instead = INSTEAD["ForExtractiveSummarization" if self.member in ONE_NAME else end]
        columns = [list(column) for column in self.texts()[:2]]
        found = there.ask(folder, end, instead=instead, texts=columns, most_tokens=TENSORS)
        inputs = Tokenizer.from_pretrained(folder)(*columns, max_length=TENSORS)
        np.testing.assert_array_equal(inputs["token_ids"], found.arrays["input_ids"])
        name = next(name for name, head in MODELS.items() if head.end == end)
        ours = outputs_of(end, getattr(bert_tf, name).from_pretrained(folder)(inputs))
        missing = [name for name in found.missing if end != "Model" or "pooler" not in name]
        if found.missing:  # the layer over the first token, which no part of this run looks at
            ours.pop("pooler_output", None)
        assert not missing, missing
        parts = {
            next((part for start, part in whole.items() if name.removeprefix(member.base).startswith(start)), name)
            for name in found.unexpected
        }
        assert parts <= set(OUR_PARTS if instead else ()), found.unexpected
        difference = largest_difference(ours, found.arrays, np.asarray(inputs["padding_mask"]) == 1)
        assert difference <= bound_of(*ours.values())

    def export(self, format_name: str, out: Path) -> None:
        """Writes an export, whose answers must be the run's."""
        flags = [f"--run={self.run}", f"--format={format_name}", f"--out={out}", "--examples=3", "--no-timing"]
        for model in json.loads(self.command(export.main, flags))["models"]:
            assert model["agreement"]["same_answers"] == 1.0, model

    def texts(self) -> list[list[str]]:
        """Texts of the validation set and odd ones, a list a column; some have the tokenizer's mask."""
        config, kind = open_run(self.run, needs_data=True)
        examples = kind.read(str(config.data.source), "validation")
        mask = json.loads((self.run / "model" / "tokenizer_config.json").read_text(encoding="utf-8"))["mask_token"]
        mask = mask["content"] if isinstance(mask, dict) else mask
        odd = (*ODD, f"a good {mask} film")
        return [[*column[:EXAMPLES], *(odd, odd[::-1])[i % 2]] for i, column in enumerate(examples.columns)]
