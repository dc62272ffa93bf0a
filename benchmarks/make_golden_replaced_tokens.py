"""What an ELECTRA's generator and discriminator give in pre-training, by Transformers, and the gradient of their loss.

    python benchmarks/make_golden_replaced_tokens.py [OUT]

Writes tests/golden/replaced_tokens.zip. Needs PyTorch and Transformers 5 (this was made with 2.14 and 5.24). Both
models share their vectors. In model/ are their weights, the generator's in model/generator/, and in gradient/ the
gradient of the loss in the place of each. truth.npz has what goes in, the guesses that are put in place of hidden
tokens, for each a draw that falls in the middle of the guess's share, and what both give.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
WEIGHT, IGNORED, MASK = 50.0, -100, 4
SHARED = {
    "vocab_size": 40, "embedding_size": 5, "max_position_embeddings": 12, "initializer_range": 0.5,
    "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
SIZE = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 10}
HALF = {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 5}
TEXTS = np.array([[2, 9, 4, 11, 30, 7, 22, 3], [2, 4, 17, 4, 12, 3, 0, 0]], np.int64)  # 4 is [MASK]
SEGMENTS = np.array([[0, 0, 0, 0, 0, 1, 1, 1], [0] * 8], np.int64)
# The second hidden token stays as it is, as some do; the second text has two.
PLACES = np.array([[2, 4, 6], [1, 3, 0]], np.int64)
TARGETS = np.array([[8, 30, 25], [6, 29, IGNORED]], np.int64)
# In the first text the first guess is right, in the second text both are wrong.
GUESSES = np.array([[8, 13, 19], [35, 5, 0]], np.int64)


def main(out: Path) -> None:
    torch.manual_seed(3)
    told = transformers.ElectraForPreTraining(transformers.ElectraConfig(**SHARED, **SIZE)).double().train()
    guessed = transformers.ElectraForMaskedLM(transformers.ElectraConfig(**SHARED, **HALF)).double().train()
    with torch.no_grad():
        for parameter in (*told.parameters(), *guessed.parameters()):
            if parameter.ndim == 1:  # biases and norms do not start from 0 and 1
                parameter.add_(0.2 * torch.randn_like(parameter))
    guessed.electra.embeddings = told.electra.embeddings
    guessed.tie_weights()

    mask = torch.tensor(TEXTS != 0).long()
    segments, texts = torch.tensor(SEGMENTS), torch.tensor(TEXTS)
    labels = torch.full_like(texts, IGNORED)
    replaced, is_replaced = texts.clone(), torch.zeros_like(texts)
    for row, place in zip(*np.nonzero(TARGETS != IGNORED), strict=True):
        at = row, PLACES[row, place]
        labels[at], replaced[at] = int(TARGETS[row, place]), int(GUESSES[row, place])
        is_replaced[at] = int(GUESSES[row, place] != TARGETS[row, place])
    generator = guessed(texts, attention_mask=mask, token_type_ids=segments, labels=labels)
    discriminator = told(replaced, attention_mask=mask, token_type_ids=segments, labels=is_replaced)
    loss = generator.loss + WEIGHT * discriminator.loss
    loss.backward()

    shares = torch.softmax(generator.logits.detach(), dim=-1).numpy()
    ends = np.cumsum(shares[np.arange(2)[:, None], PLACES], axis=-1)  # [2, 3, V]
    rows = np.arange(2)[:, None], np.arange(3)
    before = np.where(GUESSES > 0, ends[(*rows, np.maximum(GUESSES - 1, 0))], 0.0)
    truth: dict[str, Any] = {
        "token_ids": TEXTS, "padding_mask": mask.numpy(), "segment_ids": SEGMENTS, "masked_positions": PLACES,
        "target_ids": TARGETS, "guesses": GUESSES, "draws": (before + ends[(*rows, GUESSES)]) / 2,
        "is_replaced": is_replaced.numpy(), "replaced_logits": discriminator.logits.detach().numpy(),
        "masked_lm_logits": generator.logits.detach().numpy()[np.arange(2)[:, None], PLACES],
        "masked_lm_loss": generator.loss.item(), "replaced_loss": discriminator.loss.item(), "loss": loss.item(),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _save(folder / "model", told, guessed)
        with torch.no_grad():
            for parameter in {id(part): part for part in (*told.parameters(), *guessed.parameters())}.values():
                parameter.copy_(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)
        _save(folder / "gradient", told, guessed)
        np.savez_compressed(folder / "truth.npz", **truth)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(folder.rglob("*")):
                if path.suffix in (".json", ".safetensors", ".npz") and path.name != "generation_config.json":
                    file.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes(),
                                  zipfile.ZIP_DEFLATED)  # fmt: skip


def _save(folder: Path, told: Any, guessed: Any) -> None:
    told.float().save_pretrained(folder)
    guessed.float().save_pretrained(folder / "generator")
    told.double()
    guessed.double()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN / "replaced_tokens.zip")
