"""TFLite files, for phones and other small machines."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.exporting.artefact import Artefact, Loaded
from bert_tf.exporting.run import Run

if TYPE_CHECKING:
    from bert_tf.exporting.tflite.readers import Readers
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.serving import Contract

QUANTIZATIONS = ("float32", "float16", "int8", "static_int8")
EIGHT_BITS = ("int8", "static_int8")
FLAVOURS = ("tensors", "text")
OPERATORS = ("dense", "all")
LENGTHS = ("fixed", "dynamic")
BATCHES = ("one", "any")
METADATA = ("exact", "always")
LEAST_MASK = -1e4
MOST_TEXTS = 2  # in a row that is made of texts
MOST_EXAMPLES = 100_000  # of the training split, in which words with accents are looked for


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFLite(Artefact):
    """A `model_<quantization>.tflite` for each of `quantize`; beside them the tokenizer's files, `labels.txt`,
    `task.json` with all that a program needs to make answers of them, and a README.

    Such a file takes ids, mask and segment_ids, int32 [1, T], and holds the vocabulary, the labels and descriptions in
    the form that MediaPipe Tasks and the Task Library read. A `model_text_<quantization>.tflite` takes strings [1], and
    needs a runtime with three operators of tensorflow_text. What both give: the `Contract` of `bert_tf.kinds.serving`.

    Args:
        inputs: "tensors", "text" or both.
        quantize: any of "float32"; "float16", weights of 16 bits; "int8", weights of 8 bits, activations quantized
            dynamically; "static_int8", the activations' ranges fixed beforehand: less exact.
        length: "fixed", every row padded to the run's sequence length, or "dynamic", any length up to that.
        batch: "one", a row a call, as readers on phones ask, or "any", any number of them, for `bert_tf.Pipeline` on a
            server: int32 [B, T]. Needs a dynamic length; no reader on phones opens such a file.
        calibration_examples: training examples from which "static_int8" learns ranges.
        static_operators: which are in 8 bits with "static_int8": "dense", the dense layers and tables alone, or "all"
            that can be, for processors that know 8 bits only; a BERT then loses much.
        static_mask_value: what "static_int8" adds to scores that must not count; a large one would take the range.
        reader_metadata: "exact": MediaPipe Tasks and the Task Library open a file only where they answer as the run
            does, but for rare tokens; "always": wherever they can, see `bert_tf.exporting.tflite.readers`.
    Raises: ValueError for a setting that cannot be.

    >>> TFLite(quantize=("float32", "int8"), length="dynamic").quantize
    ('float32', 'int8')
    """

    inputs: tuple[str, ...] = ("tensors",)
    quantize: tuple[str, ...] = ("float32",)
    length: str = "fixed"
    batch: str = "one"
    calibration_examples: int = 100
    static_operators: str = "dense"
    static_mask_value: float = -50.0
    reader_metadata: str = "exact"

    def __post_init__(self) -> None:
        for name, choices in (("quantize", QUANTIZATIONS), ("inputs", FLAVOURS)):
            chosen = getattr(self, name)
            if not chosen or set(chosen) - set(choices) or len(set(chosen)) < len(chosen):
                raise ValueError(
                    f"`{name}` must be different ones of {', '.join(choices)}. Received: {name}={chosen!r}"
                )
        if self.length not in LENGTHS:
            raise ValueError(f"`length` must be one of {', '.join(LENGTHS)}. Received: length={self.length!r}")
        if self.length == "dynamic" and ("static_int8" in self.quantize or "text" in self.inputs):
            raise ValueError("`length` must be fixed for static_int8 and for text. Received: length='dynamic'")
        if "static_int8" in self.quantize and "text" in self.inputs:
            raise ValueError(f"`inputs` must be tensors for static_int8. Received: inputs={self.inputs!r}")
        if self.batch not in BATCHES or (self.batch == "any" and self.length != "dynamic"):
            raise ValueError(
                f"`batch` must be one of {', '.join(BATCHES)}, and one where `length` is fixed. "
                f"Received: batch={self.batch!r}, length={self.length!r}"
            )
        if self.static_operators not in OPERATORS:
            raise ValueError(
                f"`static_operators` must be one of {', '.join(OPERATORS)}. "
                f"Received: static_operators={self.static_operators!r}"
            )
        if self.reader_metadata not in METADATA:
            raise ValueError(
                f"`reader_metadata` must be one of {', '.join(METADATA)}. "
                f"Received: reader_metadata={self.reader_metadata!r}"
            )
        if self.calibration_examples < 1:
            raise ValueError(
                f"`calibration_examples` must be 1 or more. Received: calibration_examples={self.calibration_examples}"
            )
        if not LEAST_MASK <= self.static_mask_value < 0:
            raise ValueError(
                f"`static_mask_value` must be below 0, and {LEAST_MASK:g} or more. "
                f"Received: static_mask_value={self.static_mask_value}"
            )

    def check(self, kind: Kind) -> None:
        from bert_tf.runtimes.tflite import litert

        refuses = kind.serving.refuses
        if "tflite" in refuses:
            raise UserError(f"--format=tflite: {refuses['tflite']}")
        litert()
        if "text" not in self.inputs:
            return
        if "tflite:text" in refuses:
            raise UserError(f"--set inputs: {refuses['tflite:text']}")
        if len(kind.text_columns) > MOST_TEXTS:
            raise UserError(
                f"--set inputs: expected tensors: a file that takes text makes rows of {MOST_TEXTS} texts at most, and "
                f"this task has {len(kind.text_columns)}. Received: text"
            )

    def write(self, run: Run, folder: Path) -> None:
        from bert_tf.exporting.readmes.tflite import write_readme
        from bert_tf.exporting.tflite import task_json
        from bert_tf.exporting.tflite.metadata import files
        from bert_tf.weights.files import write_json

        if prompt := getattr(run.model, "prompt", ""):
            raise UserError(
                "--format=tflite: expected a model without a `prompt`, which a TFLite file cannot put before texts. "
                f"Received: {prompt!r}"
            )
        outputs = task_json.contract_of(run)
        described = task_json.describe(run, outputs)
        models = [model for flavour in self.inputs for model in self._write(run, folder, flavour, outputs, described)]
        run.tokenizer.save_pretrained(folder)
        for name, content in files(vocabulary=None, labels=outputs.labels).items():
            (folder / name).write_bytes(content)
        write_json(folder / task_json.TASK, described | {"models": models})
        write_readme(folder, described | {"models": models})

    def _write(
        self, run: Run, folder: Path, flavour: str, outputs: Contract, described: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Writes the files of one flavour; what task.json says of each."""
        from bert_tf.exporting.tflite import graph as lite_graph
        from bert_tf.exporting.tflite.convert import convert, frozen
        from bert_tf.exporting.tflite.file import finish
        from bert_tf.exporting.tflite.metadata import files, metadata
        from bert_tf.exporting.tflite.readers import as_json
        from bert_tf.exporting.tflite.task_json import TASK, as_bytes, describe_file
        from bert_tf.exporting.tflite.text.words import words_for_others

        takes_text = flavour == "text"
        names = lite_graph.text_names(outputs, len(run.kind.text_columns))
        inputs = lite_graph.text_inputs(names) if takes_text else lite_graph.INPUTS
        readers = self._readers(run, flavour, outputs, described["reject_below"])
        least = described["reject_below"]
        noted = [
            dataclasses.replace(note, labels=described["labels_file"] is not None, least_score=least)
            if note.labels
            else note
            for note in outputs.outputs
        ]
        outputs = dataclasses.replace(outputs, outputs=tuple(noted))
        notes = lite_graph.text_outputs(outputs) if takes_text else outputs.outputs
        words, numbers = words_for_others(run.tokenizer, () if takes_text else _training_texts(run))
        takes_words = not takes_text and run.tokenizer.piece_prefix is not None  # for readers that split as BERT does
        contents = files(vocabulary=words if takes_words else None, labels=outputs.labels)
        contents[TASK] = as_bytes(described)
        information = metadata(
            name=outputs.name,
            description=outputs.description,
            inputs=inputs,
            outputs=notes,
            has_tokenizer=readers.bring_tokenizers,
        )
        graphs: dict[Any, Any] = {}
        every = self.static_operators == "all"
        models = []
        for quantization in self.quantize:
            mask_value = self.static_mask_value if quantization == "static_int8" else None
            made = {"mask_value": mask_value, "eight_bits": quantization in EIGHT_BITS}
            key = tuple(made.values())
            if key not in graphs:
                with lite_graph.made_for(run.model, **made):
                    graphs[key] = frozen(self._function(run, outputs, None if takes_text else numbers))
            rows = self._calibration(run) if quantization == "static_int8" else None
            model = finish(
                convert(
                    graphs[key],
                    quantization,
                    rows=rows,
                    every_operator=every,
                    custom_ops=takes_text,
                    outer_scales=self.batch == "one",
                ),
                [note.name for note in inputs],
                [note.name for note in notes],
                description=outputs.description,
                metadata=information,
                contents=contents,
            )
            path = _file(folder, flavour, quantization)
            path.write_bytes(model)
            models.append(
                describe_file(path, quantization=quantization, takes=flavour, inputs=inputs, outputs=notes,
                              readers=as_json(readers))
            )  # fmt: skip
        return models

    def _readers(self, run: Run, flavour: str, outputs: Contract, reject_below: float) -> Readers:
        from bert_tf.exporting.tflite.readers import readers_of, readers_of_text

        if flavour == "text":
            return readers_of_text(outputs)
        return readers_of(
            outputs,
            run.tokenizer,
            texts=len(outputs.row or run.kind.text_columns),
            length=run.sequence_length if self.length == "fixed" else None,
            takes_batches=self.batch == "any",
            reject_below=reject_below,
            anyway=self.reader_metadata == "always",
        )

    def _function(self, run: Run, outputs: Contract, numbers: np.ndarray | None) -> Any:
        """What takes tensors, whose ids are numbered so, or text."""
        from bert_tf.exporting.tflite.graph import tensors_function, text_function, text_names

        if numbers is not None:
            length = run.sequence_length if self.length == "fixed" else None
            rows = 1 if self.batch == "one" else None
            return tensors_function(run.model, outputs, length, numbers, rows=rows, longest=run.sequence_length)
        from bert_tf.exporting.tflite.text.tokenizer import LiteTokenizer

        names = text_names(outputs, len(run.kind.text_columns))
        return text_function(run.model, outputs, names, LiteTokenizer(run.tokenizer, run.sequence_length))

    def load(self, run: Run, folder: Path) -> list[Loaded]:
        from bert_tf.exporting.tflite.loaded import LoadedTensors, LoadedText

        found: list[Loaded] = []
        for flavour in self.inputs:
            for quantization in self.quantize:
                path = _file(folder, flavour, quantization)
                if flavour == "text":
                    found.append(LoadedText(f"{quantization}, text", path, run))
                else:
                    found.append(LoadedTensors(quantization, path, run))
        return found

    def of_folder(self, folder: Path) -> TFLite:
        from bert_tf.exporting.tflite.task_json import TASK

        models = json.loads((folder / TASK).read_text(encoding="utf-8"))["models"]
        inputs, quantize = (tuple(dict.fromkeys(model[key] for model in models)) for key in ("takes", "quantization"))
        return dataclasses.replace(self, inputs=inputs, quantize=quantize)

    def hints(self, place: Path) -> list[str]:
        from bert_tf.exporting.tflite.task_json import TASK

        lines = []
        for model in json.loads((place / TASK).read_text(encoding="utf-8"))["models"]:
            opens = (f"{name}{f' ({note})' if note else ''}" for name, note in model["opens"].items())
            lines.append(f"{place / model['file']}: for {', '.join(opens)}")
            lines += [f"{place / model['file']}: not for {name}: {why}" for name, why in model["cannot"].items()]
        return lines

    def _calibration(self, run: Run) -> list[dict[str, np.ndarray]]:
        """The first training examples as the model's inputs, int32 [1, T] each."""
        from bert_tf.exporting.tflite.loaded import input_row

        examples = run.training_examples(self.calibration_examples)
        features = run.kind.features(run.tokenizer, examples, sequence_length=run.sequence_length)
        places = zip(features.splits[:-1], features.splits[1:], strict=True)
        return [
            input_row(features.token_ids[start:end], features.segment_ids[start:end], run.sequence_length)
            for start, end in list(places)[: self.calibration_examples]
        ]


def _training_texts(run: Run) -> list[str]:
    """Those of the training split, where it is there."""
    try:
        examples = run.training_examples(MOST_EXAMPLES)
    except UserError:
        return []
    return [text for column in examples.columns for text in column]


def _file(folder: Path, flavour: str, quantization: str) -> Path:
    return folder / f"model_{'text_' if flavour == 'text' else ''}{quantization}.tflite"
