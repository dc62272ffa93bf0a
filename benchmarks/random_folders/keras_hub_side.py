"""Presets of KerasHub's BERT, with what KerasHub answers from the files.

    python -m benchmarks.random_folders.keras_hub_side OUT --seed=1 --count=12

The texts have no characters that KerasHub's tokenizer cuts differently from the one BERT was trained with.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from benchmarks.random_folders.draw import VOCABULARY, Draw, rounded, write_truth

TEXTS = (
    "the good film.",
    "A BAD Film, the end!",
    "Café über cafe",
    "good film 東京",
    "bad!?!? good-bad",
    "a 20-1 'film'",
)
CLASSIFIER, MASKED_LM, BACKBONE = "BertTextClassifier", "BertMaskedLM", "BertBackbone"


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=12)
    flags = parser.parse_args()
    for number in range(flags.count):
        name = f"keras_hub_{flags.seed}_{number:03d}"
        draw = Draw(name)
        make(flags.out / name, draw, number, (CLASSIFIER, MASKED_LM, BACKBONE)[number % 3])
        print(name, draw.surprises, flush=True)


def make(folder: Path, draw: Draw, number: int, kind: str) -> None:
    """One preset with its truth.json."""
    import keras
    import keras_hub
    import numpy as np

    keras.utils.set_random_seed(number)
    heads = draw.choice((1, 2))
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(VOCABULARY), num_layers=draw.choice((1, 2, 3)), num_heads=heads,
        hidden_dim=heads * draw.choice((2, 3, 4)), intermediate_dim=draw.choice((5, 8)),
        dropout=draw.choice((0.0, 0.1)),
        max_sequence_length=draw.choice((24, 40)), num_segments=draw.choice((2, 2, 3)),
    )  # fmt: skip
    lower = draw.random() < 0.6
    tokenizer = keras_hub.models.BertTokenizer(
        list(VOCABULARY), lowercase=lower,
        strip_accents=draw.setting("strip_accents", False, [True], 0.4),
        split_on_cjk=draw.setting("split_on_cjk", True, [False], 0.15),
        special_tokens_in_strings=draw.setting("special_tokens_in_strings", False, [True], 0.15),
    )  # fmt: skip
    if kind == BACKBONE:
        model: Any = backbone
    elif kind == MASKED_LM:
        preprocessor = keras_hub.models.BertMaskedLMPreprocessor(tokenizer, sequence_length=24)
        model = keras_hub.models.BertMaskedLM(backbone, preprocessor=preprocessor)
    else:
        preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=24)
        activation = draw.setting("activation", None, ["softmax", "sigmoid"], 0.4)
        model = keras_hub.models.BertTextClassifier(
            backbone, num_classes=draw.choice((2, 3)), preprocessor=preprocessor, activation=activation, dropout=0.2
        )
    random = np.random.default_rng(number)
    for weight in model.weights:
        if weight.dtype.startswith("float"):
            weight.assign(weight + random.normal(0, 0.3, weight.shape))
    model.save_to_preset(str(folder))
    if kind == BACKBONE:
        tokenizer.save_to_preset(str(folder))
    tokenizer = keras_hub.models.BertTokenizer.from_preset(str(folder))  # a preset does not keep every setting
    if draw.happens("keras_nlp names", 0.2):
        for path in folder.glob("*.json"):
            path.write_text(path.read_text(encoding="utf-8").replace("keras_hub", "keras_nlp"), encoding="utf-8")
    texts = draw.sample(TEXTS, 4)
    ids = [[2, *np.asarray(tokenizer(text)).tolist()[:20], 3] for text in texts]
    truth = answers(model, kind, backbone, ids)
    if kind == CLASSIFIER:
        shutil.rmtree(folder / "assets" / "none", ignore_errors=True)
    head = {CLASSIFIER: "classifier", MASKED_LM: "BertForMaskedLM", BACKBONE: "BertModel"}[kind]
    write_truth(folder, draw, writer=f"keras_hub {keras_hub.__version__}", head=head, texts=texts, pairs=None,
                max_length=22, ids=ids, segments=[[0] * len(row) for row in ids], **truth)  # fmt: skip


def answers(model: Any, kind: str, backbone: Any, ids: list[list[int]]) -> dict[str, Any]:
    """Outputs of each row by itself, so that no padding is needed."""
    import numpy as np

    found: dict[str, list] = {"hidden": [], "pooled": [], "logits": []}
    probabilities = []
    for row in ids:
        given = {
            "token_ids": np.array([row]), "segment_ids": np.zeros((1, len(row)), int),
            "padding_mask": np.ones((1, len(row)), int),
        }  # fmt: skip
        base = backbone(given)
        found["hidden"].append(rounded(np.asarray(base["sequence_output"])[0]))
        found["pooled"].append(rounded(np.asarray(base["pooled_output"])[0]))
        if kind == MASKED_LM:
            given["mask_positions"] = np.arange(len(row))[None]
            found["logits"].append(rounded(np.asarray(model(given))[0]))
        elif kind == CLASSIFIER:
            probabilities.append(rounded(as_probabilities(np.asarray(model(given), np.float64)[0], model.activation)))
    return found | ({"answers": probabilities} if kind == CLASSIFIER else {})


def as_probabilities(outputs: Any, activation: Any) -> Any:
    """What the classes' probabilities are, whatever the model's last step gives."""
    import numpy as np

    if getattr(activation, "__name__", "linear") != "linear":
        return outputs
    powers = np.exp(outputs - outputs.max())
    return powers / powers.sum()


if __name__ == "__main__":
    main()
