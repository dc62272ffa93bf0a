"""Whether Transformers loads what this library writes of each member of the family, and computes the same.

    python -m benchmarks.members_there --torch-python=PYTHON        (one with torch and transformers)

Every model of every member that Transformers has a class for is made small and random, saved, and asked there for the
same rows. Prints a line each: the largest difference, and tensors that Transformers missed or did not expect; the exit
status is 1 if one is above 1e-5 or a tensor is left over.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

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
    "albert": {"embedding_dim": 6, "layer_groups": 1, "blocks_per_layer": 2},
    "deberta-v2": {
        "position_kind": "none", "distance_buckets": 6, "shares_distances": True, "distance_norm": True,
        "pad_token_id": 1,
    },
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
}  # fmt: skip
SIZES: dict[str, Any] = {"hidden_dim": 8, "num_layers": 2, "num_heads": 2, "intermediate_dim": 12, "max_positions": 24}
THERE = """
import json, sys, numpy as np, torch, transformers
for folder, end, mask in json.load(sys.stdin):
    name = json.load(open(folder + "/config.json"))["architectures"][0]
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    ids = torch.tensor(np.load(folder + "/ids.npy").astype("int64"))
    given = {"input_ids": ids, "attention_mask": torch.tensor(mask)}
    given = {key: x[None] for key, x in given.items()} if end == "ForMultipleChoice" else given
    with torch.no_grad():
        found = dict(model.eval()(**given))
    np.savez(folder + "/there.npz", **{key: x.numpy() for key, x in found.items()})
    left = [*info["missing_keys"], *info["unexpected_keys"], *map(str, info["mismatched_keys"])]
    print(json.dumps([name, left]))
"""


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

    mask = (IDS != 1).astype(int).tolist()
    keras.utils.set_random_seed(5)
    with tempfile.TemporaryDirectory() as scratch:
        jobs, expected = [], []
        variants = [(kind, {}) for kind in MEMBERS] + list(OTHERWISE.items())
        for i, (kind, changes) in enumerate(variants):
            member, shape = (
                MEMBERS[kind],
                {"vocabulary_size": 19, "initializer_range": 0.5, **SIZES, **SHAPES.get(kind, {})},
            )
            config = bert_tf.BertConfig(**{**member.defaults, **shape, **changes})
            for name, head in MODELS.items():
                if head.end not in member.classes or name in ("BertEmbedder", "BertSeq2Seq"):
                    continue
                model = getattr(bert_tf, name)(config, *((3,) if head.names_classes else ()))
                folder = Path(scratch) / f"{i}_{name}"
                model.save_pretrained(folder)
                np.save(folder / "ids.npy", IDS)
                jobs.append([str(folder), head.end, mask])
                found = model({"token_ids": IDS, "padding_mask": np.array(mask, "int32")})
                expected.append(outputs_of(head.end, found))
        done = subprocess.run(
            [flags.torch_python, "-c", THERE], input=json.dumps(jobs), text=True, capture_output=True, check=False
        )
        if done.returncode:
            print(done.stderr[-2000:])
            return 1
        failed = 0
        answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        for (folder, _, _), ours, (name, left) in zip(jobs, expected, answers, strict=True):
            theirs, worst = np.load(f"{folder}/there.npz"), 0.0
            for key in set(ours) & set(theirs.files):
                x, y = np.asarray(ours[key]), theirs[key].reshape(np.shape(ours[key]))
                real = IDS != 1 if x.shape[:2] == IDS.shape else np.ones(x.shape[:1], bool)
                worst = max(worst, float(np.abs(x[real] - y[real]).max()))
            assert set(ours) & set(theirs.files)
            good = worst <= TOLERANCE and not left
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} {worst:9.2e}  {name}{'  ' if left else ''}{', '.join(left)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
