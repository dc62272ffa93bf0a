"""Whether Transformers loads what this library writes of each member of the family, and computes the same.

    python -m benchmarks.members_there --torch-python=PYTHON        (one with torch and transformers)

Every model of every member that Transformers has a class for is made small and random, saved, and asked there for the
same rows. Prints a line each: the largest difference of an output; how far ours and Transformers' are from what
Transformers computes of the same weights in float64; the largest output; tensors that Transformers missed or did not
expect. The exit status is 1 if a tensor is left over, or a difference is above 1e-5: where the largest output is above
1, above that share of it, since rounding grows with a number.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TOLERANCE = 1e-5
IDS = np.array([[5, 9, 10, 2, 11, 2, *range(5, 19)], [5, 12, 2, *[1] * 17]], "int32")  # 1 is padding
SHAPES: dict[str, dict[str, Any]] = {
    "bert": {},
    "distilbert": {"num_segments": 0},
    "electra": {"embedding_dim": 6},
    "mpnet": {"num_segments": 0, "first_position": 2, "relative_buckets": 32, "pad_token_id": 1},
    "modernbert": {"local_attention": 4, "global_every": 2, "pad_token_id": 1},
    "roberta": {"num_segments": 1, "pad_token_id": 1},
    "xlm-roberta": {"num_segments": 1, "pad_token_id": 1},
    "camembert": {"num_segments": 1, "pad_token_id": 1},
    "albert": {"embedding_dim": 6, "layer_groups": 1, "blocks_per_layer": 2},
    "deberta-v2": {
        "position_kind": "none", "distance_buckets": 6, "shares_distances": True, "distance_norm": True,
        "pad_token_id": 1,
    },
    "mobilebert": {"embedding_dim": 5, "bottleneck_dim": 6, "initializer_range": 0.2},  # it has no norms
}  # fmt: skip
# What a member's config may say otherwise, tried besides.
OTHERWISE: dict[str, dict[str, Any]] = {
    "modernbert": {
        "attention_bias": True, "feed_forward_bias": True, "norm_bias": True, "head_bias": True, "decoder_bias": False,
        "head_pooling": "mean", "head_activation": "silu", "local_attention": 7, "global_every": 3,
        "rotary_base": 50.0, "local_rotary_base": 20.0,
    },
    "deberta-v2": {
        "position_kind": "learned", "distance_terms": "p2c", "distance_buckets": 0, "farthest_distance": 5,
        "shares_distances": False, "distance_norm": False, "embedding_dim": 6, "num_segments": 2,
        "kernel_size": 3,
    },
    "mobilebert": {
        "bottleneck_attention": True, "shared_bottleneck": False, "num_feed_forwards": 1, "norm_kind": "layer_norm",
        "trigram": False, "has_pooler": False,
    },
}  # fmt: skip
SIZES: dict[str, Any] = {"hidden_dim": 8, "num_layers": 2, "num_heads": 2, "intermediate_dim": 12, "max_positions": 24}
THERE = """
import json, sys
import numpy as np, torch, transformers
answers, sys.stdout = sys.stdout, sys.stderr  # where libraries print
transformers.logging.set_verbosity_error()

def answer(job):
    folder = job["folder"]
    name = job["instead"] or json.load(open(folder + "/config.json"))["architectures"][0]
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    if "texts" in job:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        how = {"padding": True, "truncation": True, "max_length": job["most_tokens"], "return_tensors": "pt"}
        given = dict(tokenizer(*job["texts"], **how))
    else:
        given = {"input_ids": torch.tensor(job["ids"]), "attention_mask": torch.tensor(job["mask"])}
    rows = {key: x[None] for key, x in given.items()} if job["end"] == "ForMultipleChoice" else given
    with torch.no_grad():
        found = dict(model.eval()(**rows))
        if job.get("exactly"):
            exact = dict(model.double()(**rows))
            found |= {"exactly_" + key: x for key, x in exact.items()}
    np.savez(folder + "/there.npz", **{key: x.numpy() for key, x in {**given, **found}.items()})
    missing = [*info["missing_keys"], *map(str, info["mismatched_keys"])]
    return {"name": type(model).__name__, "missing": missing, "unexpected": [*info["unexpected_keys"]]}

for line in sys.stdin:
    try:
        found = answer(json.loads(line))
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(found), file=answers, flush=True)
"""


class Answer(NamedTuple):
    """What Transformers says of a folder.

    Args:
        name: the class that loaded it.
        missing: tensors that it has and the folder has not, or of another shape.
        unexpected: the folder's that it has no place for.
        arrays: by Transformers' names: what went into the model, and the result.
    """

    name: str
    missing: list[str]
    unexpected: list[str]
    arrays: dict[str, Any]


class There:
    """A process with Transformers, which loads folders and asks them; as a context it is ended.

    Args:
        python: an interpreter with torch and transformers.
    """

    def __init__(self, python: str) -> None:
        command = [python, "-c", THERE]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, folder: str | Path, end: str, *, instead: str = "", **asked: Any) -> Answer:
        """Args:
            end: of the head's class, as `bert_tf.models.heads` has it.
            instead: a class to load it with; "": the one that config.json names.
            asked: `ids` and `mask`, lists [B, T]; or `texts`, a list of texts a column, which the folder's tokenizer
                reads, and `most_tokens` of a row. With `exactly`, the result in float64 is there besides, its names
                with "exactly_" in front.
        Raises: RuntimeError with what Transformers says where it refuses, or that the process has ended.
        """
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(
                json.dumps({"folder": str(folder), "end": end, "instead": instead, **asked}) + "\n"
            )
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"Transformers ended at {folder}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{folder}: {answer['error']}")
        with np.load(Path(folder) / "there.npz") as arrays:
            found = dict(arrays)
        (Path(folder) / "there.npz").unlink()
        return Answer(**answer, arrays=found)

    def __enter__(self) -> There:
        return self

    def __exit__(self, *of_error: object) -> None:
        self.process.communicate()


def largest_difference(ours: Mapping[str, Any], theirs: Mapping[str, Any], real: np.ndarray) -> float:
    """Of the arrays that both have by a name, [B, T, ...] where `real`, bool [B, T]. Raises: KeyError: none is."""
    worst = []
    for key in ours.keys() & theirs.keys():
        x = np.asarray(ours[key])
        y = theirs[key].reshape(x.shape)
        chosen = real if x.shape[:2] == real.shape else np.ones(x.shape[:1], bool)
        worst.append(float(np.abs(x[chosen] - y[chosen]).max()))
    if not worst:
        raise KeyError(f"none of {', '.join(ours)} in {', '.join(theirs)}")
    return max(worst)


def outputs_of(end: str, found: Any) -> dict[str, Any]:
    """What a model gives, by the names of Transformers."""
    if end == "Model":
        return {"last_hidden_state": found["sequence_output"], "pooler_output": found["pooled_output"]}
    if end == "ForQuestionAnswering":
        return {"start_logits": found[..., 0], "end_logits": found[..., 1]}
    if end == "ForPreTraining":
        pairs = dict.fromkeys(("seq_relationship_logits", "sop_logits"), found["pair_logits"])  # BERT's name, ALBERT's
        return {"prediction_logits": found["masked_lm_logits"], **pairs}
    return {"logits": found["masked_lm_logits"] if isinstance(found, dict) else found}


def main() -> int:
    """Writes every model, asks Transformers, and compares."""
    parser = argparse.ArgumentParser(description="Have Transformers load what we write.")
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter with torch and transformers")
    flags = parser.parse_args()
    import keras

    import bert_tf
    from bert_tf.models.heads import MODELS
    from bert_tf.weights.members import MEMBERS

    real = IDS != 1
    asked: dict[str, Any] = {"ids": IDS.tolist(), "mask": real.astype(int).tolist(), "exactly": True}
    failed = 0
    keras.utils.set_random_seed(5)
    variants = [(kind, {}) for kind in MEMBERS] + list(OTHERWISE.items())
    with tempfile.TemporaryDirectory() as scratch, There(flags.torch_python) as there:
        for i, (kind, changes) in enumerate(variants):
            shape = {"vocabulary_size": 19, "initializer_range": 0.5, **SIZES, **SHAPES.get(kind, {})}
            config = bert_tf.BertConfig(**{**MEMBERS[kind].defaults, **shape, **changes})
            for name, head in MODELS.items():
                if head.end not in MEMBERS[kind].classes or name in ("BertEmbedder", "BertSeq2Seq"):
                    continue
                model = getattr(bert_tf, name)(config, *((3,) if head.names_classes else ()))
                folder = Path(scratch) / f"{i}_{name}"
                model.save_pretrained(folder)
                found = there.ask(folder, head.end, **asked)
                ours = outputs_of(head.end, model({"token_ids": IDS, "padding_mask": real.astype("int32")}))
                worst, left = largest_difference(ours, found.arrays, real), [*found.missing, *found.unexpected]
                exact = {key: found.arrays[f"exactly_{key}"] for key in ours.keys() & found.arrays.keys()}
                own, theirs = (largest_difference(side, exact, real) for side in (ours, found.arrays))
                largest = max(float(np.abs(values).max()) for values in exact.values())
                good = worst <= TOLERANCE * max(1.0, largest) and not left
                failed += not good
                print(
                    f"{'ok  ' if good else 'FAIL'} {worst:9.2e}  ours {own:9.2e}  theirs {theirs:9.2e}  largest "
                    f"{largest:6.2f}  {found.name}{'  ' * bool(left)}{', '.join(left)}",
                    flush=True,
                )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
