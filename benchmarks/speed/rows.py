"""What is timed: a row for each thing that people wait for, and the sides that do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OURS = "bert_tf"


@dataclass(frozen=True)
class Side:
    """One way to do what a row says.

    Args:
        name: in tables.
        place: the function of `benchmarks.speed.sides` that prepares it, MODULE.FUNCTION.
        arguments: of that function; {names} in braces are of `benchmarks.speed.inputs.Inputs`.
        reference: whether labels of the other sides are compared with this one's.
        here: whether a peer runs in this library's Python.
        slow: whether it takes long to be made ready, and is left out of `make bench-quick`.
    """

    name: str
    place: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reference: bool = False
    here: bool = False
    slow: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table.

    Args:
        name: on the command line.
        what: in words.
        unit: of its numbers.
        more_is_better: whether a greater number is the better one; a time is better when it is less.
        ours, peers: ways of this library, and of others; the best of each are compared.
        goal: how many times as good as the best peer ours is meant to be.
        quick: whether it is one of `make bench-quick`.
    """

    name: str
    what: str
    unit: str
    more_is_better: bool = True
    ours: tuple[Side, ...]
    peers: tuple[Side, ...] = ()
    goal: float | None = None
    quick: bool = False


def _training(name: str, what: str, goal: float, task: Mapping[str, Any], peer: str, **more: Any) -> Row:
    return Row(
        name=name,
        what=what,
        unit="real tokens/s",
        ours=(Side(OURS, "training.train", task),),
        peers=(Side("Transformers, bfloat16", peer, task),),
        goal=goal,
        **more,
    )


SST2 = {"task": "sst2", "data": "{sst2}", "length": 64, "batch": 32}
INT8 = {"run": "{lite_batches}", "texts": "{texts}"}
TEXTS = {"folder": "{run}/model", "texts": "{texts}"}
MANY_TEXTS = TEXTS | {"texts": "{many_texts}"}
VECTORS = {"folder": "{minilm}", "texts": "{texts}"}
EXACT_VECTORS = VECTORS | {"dtype": "float32"}
WRITTEN = {"tokens": 60, "examples": 8, "source": 64}
ONE = {"folder": "{run}/model", "models": "{peer_models}"}

ROWS = (
    Row(
        name="gemm",
        what="a large product of bfloat16 matrices: the peak that shares are of",
        unit="GFLOP/s",
        ours=(Side("TensorFlow", "answering.gemm"),),
        peers=(Side("PyTorch", "transformers_training.gemm"),),
    ),
    _training(
        "train",
        "train SST-2, MiniLM",
        2.0,
        SST2 | {"backbone": "{minilm}", "updates": 50},
        "transformers_training.classification",
        quick=True,
    ),
    _training(
        "train_base",
        "train SST-2, BERT-base",
        1.5,
        SST2 | {"backbone": "{base}", "updates": 5},
        "transformers_training.classification",
    ),
    _training(
        "train_128",
        "train texts of 128 tokens, MiniLM",
        1.7,
        SST2 | {"backbone": "{minilm}", "updates": 10, "data": "{contexts}", "length": 128},
        "transformers_training.classification",
    ),
    _training(
        "train_span_qa",
        "train span QA, 384 tokens, MiniLM",
        1.5,
        {"task": "squad", "data": "{squad}", "backbone": "{minilm}", "length": 384, "batch": 12, "updates": 10},
        "transformers_training.span_qa",
    ),
    Row(
        name="pretrain",
        what="pre-train, 128 tokens, MiniLM",
        unit="real tokens/s",
        ours=(
            Side(
                OURS,
                "training.train",
                {
                    "task": "pretrain",
                    "data": "{corpus}",
                    "backbone": "{minilm}",
                    "length": 128,
                    "batch": 32,
                    "updates": 10,
                },
            ),
        ),
        peers=(
            Side(
                "Transformers, bfloat16",
                "transformers_training.pretraining",
                {"batches": "{batches}", "backbone": "{minilm}", "updates": 10},
            ),
        ),
        goal=2.3,
    ),
    Row(
        name="labels",
        what="strings to labels",
        unit="texts/s",
        ours=(
            Side(f"{OURS} predict", "answering.predict", {"run": "{run}", "texts": "{texts}"}),
            Side(f"{OURS} predict, int8", "answering.predict", INT8, slow=True),
            Side(f"{OURS} Pipeline", "answering.labels", {"run": "{run}", "texts": "{texts}"}),
        ),
        peers=(
            Side("Transformers, float32", "transformers_answers.by_length", TEXTS | {"precision": "float32"}, True),
            Side("Transformers' pipeline, bfloat16", "transformers_answers.pipeline", TEXTS),
            Side("Transformers, bfloat16, sorted", "transformers_answers.by_length", TEXTS),
            Side("OpenVINO, bfloat16", "runtimes.openvino", TEXTS | {"models": "{peer_models}", "precision": "bf16"}),
            Side("OpenVINO, int8", "runtimes.openvino", TEXTS | {"models": "{peer_models}", "precision": "int8"}),
            Side("CTranslate2, int8", "runtimes.ctranslate2", TEXTS | {"models": "{peer_models}"}),
        ),
        goal=1.0,
        quick=True,
    ),
    Row(
        name="process",
        what="whole process, 6,000 sentences",
        unit="s",
        more_is_better=False,
        ours=(
            Side(OURS, "whole_process.predict", {"run": "{run}", "texts": "{many_texts}"}),
        ),
        peers=(
            Side("OpenVINO, bfloat16", "whole_process.openvino", MANY_TEXTS | {"models": "{peer_models}"}),
            Side("Transformers, bfloat16, sorted", "whole_process.transformers", MANY_TEXTS),
        ),
    ),
    Row(
        name="start",
        what="whole process, one text",
        unit="s",
        more_is_better=False,
        ours=(Side(OURS, "whole_process.predict", {"run": "{run}"}),),
        peers=(Side("Transformers", "whole_process.transformers", {"folder": "{run}/model"}),),
        quick=True,
    ),
    Row(
        name="vectors",
        what="sentence vectors",
        unit="texts/s",
        ours=(
            Side(OURS, "answering.vectors", VECTORS),
            Side(f"{OURS}, int8", "answering.vectors", VECTORS | {"folder": "{lite_vectors}"}, slow=True),
        ),
        peers=(
            Side("sentence-transformers, float32", "transformers_answers.vectors", EXACT_VECTORS, True),
            Side("sentence-transformers, bfloat16", "transformers_answers.vectors", VECTORS),
        ),
        goal=2.0,
    ),
    Row(
        name="generation",
        what="write greedily, 8 texts of 60 tokens",
        unit="tokens/s",
        ours=(Side(OURS, "answering.generation", WRITTEN),),
        peers=(
            Side("Transformers' encoder-decoder, bfloat16", "transformers_answers.generation", WRITTEN),
        ),
        goal=2.0,
    ),
    *(
        Row(
            name=f"one_{tokens}",
            what=f"one text of {tokens} tokens, from a string",
            unit="ms",
            more_is_better=False,
            ours=(
                Side(f"{OURS} Pipeline", "answering.one_text", {"run": "{run}/model", "tokens": tokens}),
                Side(f"{OURS} SavedModel", "answering.one_text", {"run": "{saved_model}", "tokens": tokens}, slow=True),
                Side(f"{OURS} TFLite int8", "answering.one_text_lite", lite, slow=True),
            ),
            peers=(
                Side("ONNX Runtime, int8", "runtimes.onnx_one_text", ONE | {"tokens": tokens}),
                Side("OpenVINO, int8", "runtimes.openvino_one_text", ONE | {"tokens": tokens}),
            ),
            goal=1.0,
            quick=tokens == 16,
        )
        for tokens, lite in ((16, {"export": "{lite}", "tokens": 16}), (128, {"export": "{lite}", "tokens": 128}))
    ),
    Row(
        name="workers",
        what="train MiniLM, 32 examples of an update on each core: two workers of a core, next to one",
        unit="real tokens/s",
        ours=(Side("two workers", "whole_process.workers", {"data": "{sst2}", "count": 2}),),
        peers=(Side("one worker", "whole_process.workers", {"data": "{sst2}", "count": 1}, here=True),),
        goal=1.8,
    ),
    *(
        Row(
            name=f"index_{name}",
            what=f"an index of a million vectors of 384: {what}",
            unit=unit,
            more_is_better=False,
            ours=tuple(
                Side(f"{OURS}, {way}", f"index.{name}", {"way": way, "vectors": "{vectors}"})
                for way in ("float32", "int8")
            ),
            peers=(Side("faiss", f"index.{name}", {"way": "faiss", "vectors": "{vectors}"}, here=True),),
            goal=1.0,
        )
        for name, what, unit in (("build", "built", "s"), ("query", "the ten nearest of one", "ms"))
    ),
    *(
        Row(
            name=f"{tokenizer}{name}",
            what=f"{words}, {what}",
            unit="texts/s",
            ours=(Side(OURS, "answering.tokenizer", {"backbone": folder, "texts": texts}),),
            peers=(Side("tokenizers", "runtimes.tokenizer", {"folder": folder, "texts": texts}),),
            goal=goal,
            quick=tokenizer + name == "tokenizer",
        )
        for tokenizer, words, folder, goal in (
            ("tokenizer", "tokenizer", "{minilm}", 5.0),
            ("byte_pairs", "tokenizer of byte pairs", "{byte_pairs}", 1.0),
            ("sentence_pieces", "tokenizer of SentencePiece", "{sentence_pieces}", 1.0),
        )
        for name, what, texts in (
            ("", "sentences of SST-2", "{many_texts}"),
            ("_long", "texts of 400 words", "{long_texts}"),
        )
    ),
)  # fmt: skip


def chosen(names: str | None, *, quick: bool) -> list[Row]:
    """The rows of a list of names, or all; with `quick` the few that a change is looked at with.

    Raises: ValueError for a name that there is not.

    >>> [row.name for row in chosen("train,start", quick=False)]
    ['train', 'start']
    """
    if names is None:
        return [row for row in ROWS if row.quick or not quick]
    by_name = {row.name: row for row in ROWS}
    unknown = [name for name in names.split(",") if name not in by_name]
    if unknown:
        raise ValueError(f"--rows: expected some of {', '.join(by_name)}. Received: {unknown[0]}")
    return [by_name[name] for name in names.split(",")]
