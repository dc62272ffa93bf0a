"""A SavedModel for TensorFlow Serving: raw text in, answers out."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.config import to_toml
from bert_tf.errors import UserError
from bert_tf.exporting.artefact import Artefact, Loaded
from bert_tf.exporting.models import LoadedPipeline, files_in
from bert_tf.exporting.run import Run
from bert_tf.inference import task_file
from bert_tf.inference.saved_models import DETAILS, TASK, versions
from bert_tf.lookup import definitions
from bert_tf.weights.files import write_json, write_lines

LABELS, RECIPE = "labels.txt", "config.toml"
WARMUP = "tf_serving_warmup_requests"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SavedModel(Artefact):
    """A numbered version under --out, which TensorFlow Serving is given.

    Its signatures are those of `bert_tf.exporting.saved_model.signatures`. assets/ holds the vocabulary, the labels,
    the run's config.toml and task.json, from which `bert_tf.Pipeline` reads how answers are printed; assets.extra/ the
    requests that a server answers before it says that it is ready; batching_params.pbtxt how it may put requests
    together; and README.md how all of it is opened.

    Args:
        batch_sizes: batches that the server makes, its allowed_batch_sizes; each is warmed up. Where answers are lists
            there are larger ones too, see `bert_tf.exporting.saved_model.batching`.
        version: number of the version; 0: the one after the greatest that is there.
    Raises: ValueError for numbers that cannot be.

    >>> SavedModel(batch_sizes=(1, 8)).batch_sizes
    (1, 8)
    """

    batch_sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    version: int = 0

    def __post_init__(self) -> None:
        if not self.batch_sizes or min(self.batch_sizes) < 1:
            raise ValueError(f"`batch_sizes` must be numbers of 1 or more. Received: batch_sizes={self.batch_sizes}")
        if self.version < 0:
            raise ValueError(f"`version` must be 0 or more. Received: version={self.version}")

    def place(self, out: Path) -> Path:
        if out.exists() and not out.is_dir():
            raise UserError(f"--out={out}: expected a folder, for versions. Received: a file")
        there = versions(out)
        number = self.version or max(there, default=0) + 1
        if number in there:
            raise UserError(
                f"--set version={number}: expected a version that is not there. Received: {out / str(number)}"
            )
        return out / str(number)

    def write(self, run: Run, folder: Path) -> None:
        import tensorflow as tf

        from bert_tf.exporting.readmes.saved_model import write_readme
        from bert_tf.exporting.saved_model import batching
        from bert_tf.exporting.saved_model.requests import write_requests
        from bert_tf.exporting.saved_model.signatures import SERVING, signatures_of
        from bert_tf.inference.exported.operators import foreign_operators

        signatures, counts = signatures_of(run.kind, run.model, run.tokenizer, sequence_length=run.sequence_length)
        described = task_file.to_json(run.kind, task=run.config.task, sequence_length=run.sequence_length)
        with tempfile.TemporaryDirectory() as beside:
            root = tf.Module()
            root.weights = [weight.value for weight in _answering(run.model)]
            root.assets = [
                tf.saved_model.Asset(str(path))
                for path in _write_assets(run, Path(beside), described | {"counts": counts})
            ]
            tf.saved_model.save(root, str(folder), signatures=signatures)
        _set_methods(folder / "saved_model.pb")
        if foreign := foreign_operators(folder / "saved_model.pb"):
            raise UserError(
                "refused, nothing is written: expected operators of TensorFlow and tensorflow_text alone, which "
                "TensorFlow Serving links, and of these such as take and give tensors: no files, no Python, no "
                f"network. Received: {', '.join(foreign)}"
            )
        extra = folder / "assets.extra"
        extra.mkdir()
        lists = batching.gives_lists(signatures, (SERVING, DETAILS))
        sizes = batching.sizes_of(self.batch_sizes, lists=lists)
        write_requests(extra / WARMUP, run, signatures, batch_sizes=sizes)
        (folder / batching.FILE).write_text(batching.parameters(sizes, lists=lists), encoding="utf-8")
        write_readme(folder, run, signatures)

    def load(self, run: Run, folder: Path) -> list[Loaded]:
        from bert_tf.inference.pipeline import Pipeline

        pipeline = Pipeline(folder, task=run.kind, batch_examples=run.pipeline.batch_examples)
        return [LoadedPipeline("saved_model", files_in(folder), pipeline, run)]

    def hints(self, place: Path) -> list[str]:
        compose = definitions("export") / "serving" / "compose.yaml"
        base = place.parent.resolve()
        return [f"serve it: MODEL_DIR={base} MODEL_NAME={base.name} docker compose -f {compose} up"]


def _answering(model: Any) -> list[Any]:
    """The weights that have a part in answers: not those of models that were trained beside this one alone."""
    from bert_tf.models import weights_by_path

    names = tuple(f"{name}/" for name in getattr(model, "parts_beside", {}))
    aside = {id(weight) for path, weight in weights_by_path(model).items() if path.startswith(names)} if names else ()
    return [weight for weight in model.weights if id(weight) not in aside]


def _write_assets(run: Run, folder: Path, described: Mapping[str, Any]) -> list[Path]:
    run.tokenizer.save_pretrained(folder)
    (folder / RECIPE).write_text(to_toml(run.config), encoding="utf-8")
    write_json(folder / TASK, described)
    if labels := run.kind.serving.labels:
        write_lines(folder / LABELS, labels)
    return sorted(folder.iterdir())


def _set_methods(path: Path) -> None:
    """Names the methods of Serving's classify and regress; tf.saved_model.save calls all of them predict.

    The fingerprint that TensorFlow wrote is of the graph before, so it is made again.
    """
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow.python.saved_model import fingerprinting_utils

    from bert_tf.exporting.saved_model.signatures import METHODS

    message = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in message.meta_graphs:
        for name, method in METHODS.items():
            if name in graph.signature_def:
                graph.signature_def[name].method_name = method
    beside = path.with_suffix(".partial")
    beside.write_bytes(message.SerializeToString())
    shutil.move(beside, path)
    fingerprinting_utils.write_fingerprint(str(path.parent))
