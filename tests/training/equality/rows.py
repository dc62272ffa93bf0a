"""The table: which trainings are compared with that of one device, and on what. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.training.equality.tasks import LENGTH

TOLERANCE = 1e-5
"""Of every weight, and of every reported number (of one above 1, as a share of it)."""


@dataclass(frozen=True)
class Column:
    """A strategy, as CPUs can run it.

    Args:
        says: what the page calls it.
        settings: of [training].
        devices: logical CPUs of a process.
        jobs: TF_CONFIG's: how many processes of each job; none: a single process without it.
        replicas, gradient_sum: what the result must say.
    """

    says: str
    settings: Mapping[str, object]
    devices: int = 1
    jobs: Mapping[str, int] = field(default_factory=dict)
    replicas: int = 2
    gradient_sum: str | None = "float32"


WORKERS = {"training.strategy": "multi_worker"}
COLUMNS: dict[str, Column] = {
    "two_devices": Column("mirrored, 2 devices", {"training.strategy": "mirrored"}, devices=2),
    "four_devices": Column("mirrored, 4 devices", {"training.strategy": "mirrored"}, devices=4, replicas=4),
    "two_workers": Column("2 workers, shared memory", WORKERS, jobs={"worker": 2}, gradient_sum="shared_memory"),
    "two_senders": Column("2 workers, sent", {**WORKERS, "training.gradient_sum": "float32"}, jobs={"worker": 2}),
    "server": Column(
        "parameter server, 1 worker",
        {"training.strategy": "parameter_server"},
        jobs={"ps": 1, "worker": 1, "chief": 1},
        replicas=1,
        gradient_sum=None,
    ),
}

BASE: Mapping[str, object] = {
    "training.epochs": 2,
    "training.batch_examples": 8,
    "training.learning_rate": 0.01,
    # A gradient that is 0 but for rounding (of a key's bias, say) would become whole steps with Adam's own 1e-8.
    "training.epsilon": 1e-3,
    "training.clip_norm": "none",
    "training.keep": "last",
    "model.hidden_dropout": 0.0,  # its masks are drawn for each part of a batch
    "model.attention_dropout": 0.0,
    "data.batching": "padded",
    "evaluation.batch_examples": 4,  # so that the last of 17 examples is alone in its batch
}


@dataclass(frozen=True)
class Row:
    """A training that is made on one device and on those of `columns`, with the same global batches.

    Args:
        says: what the page says of it.
        settings: what differs from `BASE`.
        task: one of `tasks.TASKS`.
        columns: where it is tried.
        bound: the largest difference that may be.
        leaves: ends of the names of weights that are left out.
        backbone: what it begins with, one of those of `starting.make_folder`.
    """

    says: str
    settings: Mapping[str, object] = field(default_factory=dict)
    task: str = "two_classes"
    columns: tuple[str, ...] = ("two_devices", "two_workers")
    bound: float = TOLERANCE
    leaves: tuple[str, ...] = ()
    backbone: str = "backbone"


def packed(rows_length: int, batch_examples: int) -> dict[str, object]:
    """Rows of so many tokens, eight a batch where so many examples fill it: as many for 1, 2, 4 and 8 parts."""
    return {
        "data.batching": "packed",
        "data.pack_length": rows_length,
        "training.batch_examples": batch_examples,
    }


EVERYWHERE = tuple(COLUMNS)
PACKED = packed(LENGTH, 15)
USUAL: Mapping[str, object] = {
    **PACKED,
    "training.accumulation_steps": 2,
    "training.clip_norm": 0.5,
    "training.steps_per_call": 2,
    "training.label_smoothing": 0.1,
    "training.epsilon": 1e-8,
}

OPTIONS: dict[str, Row] = {
    "usual": Row(
        "packed, accumulated, clipped, several steps a call, label smoothing, Adam's own epsilon",
        USUAL,
        columns=EVERYWHERE,
        # Softmax does not see it, so its gradient is rounding alone: it differs between two orders of the same sum, and
        # no output depends on it.
        leaves=("attention.self.key.bias",),
    ),
    "plain": Row("nothing more", columns=EVERYWHERE),
    "accumulation": Row("`training.accumulation_steps=2`", {"training.accumulation_steps": 2}),
    "clipping": Row("`training.clip_norm=0.05`", {"training.clip_norm": 0.05}),
    "steps_per_call": Row("`training.steps_per_call=4`", {"training.steps_per_call": 4}),
    "packing": Row("`data.batching=packed`", PACKED, columns=EVERYWHERE),
    "buckets": Row("`data.batching=bucketed`", {"data.batching": "bucketed"}),
    "accumulated_buckets": Row(
        "`data.batching=bucketed`, `training.accumulation_steps=2`, `training.clip_norm=0.5`",
        {"data.batching": "bucketed", "training.accumulation_steps": 2, "training.clip_norm": 0.5},
    ),
    "class_weights": Row("`training.class_weights=[1, 5]`", {"training.class_weights": [1.0, 5.0]}),
    "label_smoothing": Row("`training.label_smoothing=0.2`", {"training.label_smoothing": 0.2}),
    "decays": Row(
        "`training.layer_decay=0.5`, `training.weight_decay=0.5`",
        {"training.layer_decay": 0.5, "training.weight_decay": 0.5},
    ),
    "lamb": Row("`training.optimizer=lamb`", {"training.optimizer": "lamb"}),
    "frozen": Row(
        "`training.freeze_embeddings=true`, `training.frozen_blocks=1`, `model.recompute=true`",
        {"training.freeze_embeddings": True, "training.frozen_blocks": 1, "model.recompute": True},
    ),
    "head_first": Row("`training.mode=head_first`", {"training.mode": "head_first"}),
    "standardized": Row(
        "`training.standardize_numbers=true`, numbers up to 1,000",
        {"training.standardize_numbers": True},
        task="large_numbers",
    ),
    "windows": Row("`data.long_texts=windows`", {}, task="long_texts"),
    "stopped": Row(
        "`training.early_stopping_patience=1`, an evaluation every 2 updates",
        {"training.keep": "best", "training.early_stopping_patience": 1, "training.evaluate_every_steps": 2},
    ),
    "mixed_bfloat16": Row("`training.precision=mixed_bfloat16`", {"training.precision": "mixed_bfloat16"}, bound=0.03),
    "mixed_float16": Row("`training.precision=mixed_float16`", {"training.precision": "mixed_float16"}, bound=0.01),
}


def of_kind(task: str, says: str, settings: Mapping[str, object], **options: Any) -> dict[str, Row]:
    """A row that is named as its task is."""
    return {task: Row(says, settings, task=task, **options)}


RAW_TEXT = {
    "data.batching": "packed",
    "data.sequence_length": 24,
    "training.epochs": 1,
    "training.batch_examples": 10,
}
KINDS: dict[str, Row] = {
    **of_kind("pairs_of_texts", "`Classification` of pairs, with a share that is rejected", packed(16, 13)),
    **of_kind("several_labels", "`MultiLabel`", PACKED),
    **of_kind("numbers", "`Regression`", packed(16, 14)),
    **of_kind("tags", "`Tagging`", PACKED),
    **of_kind("spans", "`SpanQA`", packed(32, 19)),
    **of_kind("choices", "`MultipleChoice`", packed(48, 16)),
    **of_kind("sentences", "`ExtractiveSummarization`", packed(32, 15)),
    **of_kind("written_texts", "`TextToText`", packed(16, 11)),
    **of_kind("alike_pairs", "`Embedding`, cosine", packed(16, 12)),
    **of_kind("triplets", "`Embedding`, triplets", packed(24, 12)),
    **of_kind("found_pairs", "`Embedding`, contrastive", packed(16, 12)),
    "accumulated_pairs": Row(
        "`Embedding`, contrastive, `training.accumulation_steps=2`",
        {**packed(16, 12), "training.accumulation_steps": 2},
        task="found_pairs",
    ),
    **of_kind("weighted_pairs", "`Embedding`, contrastive, of pairs that score high", packed(16, 12)),
    **of_kind("documents", "`Retrieval`, contrastive", packed(24, 18)),
    **of_kind("raw_text", "`Pretraining`, hidden words and next sentences", RAW_TEXT),
    "replaced_text": Row(
        "`ReplacedTokens`",
        {
            **RAW_TEXT,
            "training.batch_examples": 9,  # which fill eight rows
            "pretraining.objective": "replaced_tokens",
            "pretraining.generator_width": 0.5,
        },
        task="raw_text",
        backbone="electra",
    ),
}
ROWS: dict[str, Row] = {**OPTIONS, **KINDS}
