"""Makes tests/golden/multiple_choice: a random BertForMultipleChoice as Transformers writes it, and what it gives.

    python benchmarks/make_golden_multiple_choice.py        (needs PyTorch and Transformers)

outputs.npz has logits and loss of two texts with three choices each; training.npz the losses and norms of some updates
by PyTorch's AdamW, and the logits after them.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "multiple_choice"
UPDATES, CHOICES = 20, 3
SETTINGS = {"peak": 5e-3, "total_steps": UPDATES, "warmup_steps": 3, "weight_decay": 0.1, "clip_norm": 3.0}


def main() -> None:
    """Writes the folder."""
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=12,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=10,
        initializer_range=0.8,
        classifier_dropout=0.2,
    )
    model = transformers.BertForMultipleChoice(config).eval()
    with torch.no_grad():  # biases and layer norms that are not 0 and 1, so that none can be mixed up unseen
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        model.classifier.weight.mul_(2.0)  # choices whose probabilities are far apart
    model.save_pretrained(FOLDER)

    rng = np.random.default_rng(3)
    texts = [drawn(rng) for _ in range(2)]
    labels = [2, 0]
    inputs = as_tensors(texts)
    with torch.inference_mode():
        found = model(**inputs, labels=torch.tensor(labels))
    names = {"token_ids": "input_ids", "segment_ids": "token_type_ids", "padding_mask": "attention_mask"}
    np.savez_compressed(
        FOLDER / "outputs.npz",
        **{ours: inputs[theirs].numpy().astype(np.int32) for ours, theirs in names.items()},
        labels=np.asarray(labels, np.int32),
        logits=found.logits.numpy(),
        loss=found.loss.numpy(),
    )

    texts = [drawn(rng) for _ in range(10)]
    labels = [int(label) for label in rng.integers(0, CHOICES, size=10)]
    batches = [[int(example) for example in rng.permutation(10)[:4]] for _ in range(UPDATES)]
    given = {"texts": texts, "labels": labels, "batches": batches, "settings": SETTINGS}
    np.savez_compressed(
        FOLDER / "training.npz", given=np.asarray(json.dumps(given)), **train(texts, labels, batches, SETTINGS)
    )


def drawn(rng: np.random.Generator) -> list[dict[str, list[int]]]:
    """A text with each of its choices: ids and segments."""
    first = [int(token) for token in rng.integers(1, 12, size=rng.integers(2, 5))]
    seconds = [[int(token) for token in rng.integers(1, 12, size=rng.integers(1, 6))] for _ in range(CHOICES)]
    return [{"ids": first + second, "segments": [0] * len(first) + [1] * len(second)} for second in seconds]


def as_tensors(texts: list[list[dict[str, list[int]]]]) -> dict[str, torch.Tensor]:
    """Padded to the longest: int64 [B, K, T]."""
    length = max(len(row["ids"]) for rows in texts for row in rows)

    def padded(values: list[list[list[int]]]) -> torch.Tensor:
        return torch.tensor([[row + [0] * (length - len(row)) for row in rows] for rows in values])

    return {
        "input_ids": padded([[row["ids"] for row in rows] for rows in texts]),
        "token_type_ids": padded([[row["segments"] for row in rows] for rows in texts]),
        "attention_mask": padded([[[1] * len(row["ids"]) for row in rows] for rows in texts]),
    }


def train(texts: list[Any], labels: list[int], batches: list[list[int]], settings: dict[str, float]) -> dict[str, Any]:
    """Updates as Transformers' Trainer takes them, without dropout: losses, norms, and the logits of all after them."""
    quiet = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
    model = transformers.BertForMultipleChoice.from_pretrained(FOLDER, **quiet).train()
    named = list(model.named_parameters())
    plain = [parameter for name, parameter in named if name.endswith("bias") or "LayerNorm" in name]
    decayed = [parameter for name, parameter in named if not (name.endswith("bias") or "LayerNorm" in name)]
    groups = [
        {"params": decayed, "weight_decay": settings["weight_decay"]},
        {"params": plain, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings["peak"])
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, int(settings["warmup_steps"]), int(settings["total_steps"])
    )
    results = []
    for examples in batches:
        inputs = as_tensors([texts[e] for e in examples])
        loss = model(**inputs, labels=torch.tensor([labels[e] for e in examples])).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        results.append((loss.item(), norm.item()))
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    with torch.inference_mode():
        logits = model.eval()(**as_tensors(texts)).logits.numpy()
    loss, norm = np.asarray(results).T
    return {"loss": loss, "norm": norm, "logits": logits}


if __name__ == "__main__":
    main()
