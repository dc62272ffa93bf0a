"""What Transformers and sentence-transformers answer, as its users write it: its pipeline, or a loop by hand.

As a program, the whole process: python -m benchmarks.speed.sides.transformers_answers FOLDER [TEXTS]
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.speed.sides.nearest import nearest
from benchmarks.speed.work import Work, rate

BATCH = 32


def read(texts: str) -> list[str]:
    """The lines of a file."""
    return Path(texts).read_text(encoding="utf-8").splitlines()


def pipeline(*, folder: str, texts: str) -> Work:
    """Texts a second of `transformers.pipeline`."""
    classify = transformers.pipeline(
        "text-classification", model=folder, tokenizer=folder, device="cpu", dtype=torch.bfloat16
    )
    lines, found = read(texts), list[str]()

    def work() -> None:
        found[:] = [row["label"] for row in classify(lines, batch_size=BATCH, truncation=True, max_length=64)]

    classify(lines[:BATCH], batch_size=BATCH)
    return Work(lambda: rate(work, len(lines)), answers=lambda: found)


def by_length(*, folder: str, texts: str, precision: str = "bfloat16") -> Work:
    """Texts a second of a loop over batches of similar lengths."""
    tokenizer, model = _opened(folder, precision)
    lines, found = read(texts), list[str]()

    def work() -> None:
        found[:] = labels_by_length(tokenizer, model, lines)

    labels_by_length(tokenizer, model, lines[:BATCH])
    return Work(lambda: rate(work, len(lines)), answers=lambda: found)


@torch.inference_mode()
def labels_by_length(tokenizer: Any, model: Any, texts: list[str]) -> list[str]:
    rows = tokenizer(texts, truncation=True, max_length=64)["input_ids"]
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    found = [""] * len(rows)
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        batch = tokenizer.pad({"input_ids": [rows[i] for i in part]}, return_tensors="pt")
        for i, best in zip(part, model(**batch).logits.argmax(-1).tolist(), strict=True):
            found[i] = model.config.id2label[best]
    return found


def vectors(*, folder: str, texts: str, dtype: str = "bfloat16") -> Work:
    """Texts a second of sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": getattr(torch, dtype)})
    lines = read(texts)
    answers = nearest(model.encode(lines, batch_size=BATCH))
    return Work(lambda: rate(lambda: model.encode(lines, batch_size=BATCH), len(lines)), answers=lambda: answers)


def generation(*, tokens: int, examples: int, source: int) -> Work:
    """Tokens a second, greedily: an encoder and a decoder of MiniLM's size with random weights, keys kept."""
    torch.manual_seed(1)
    shape = {"vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
             "intermediate_size": 1536}  # fmt: skip
    encoder, decoder = transformers.BertConfig(**shape), transformers.BertConfig(**shape)
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    model = transformers.EncoderDecoderModel(config).eval().to(torch.bfloat16)
    ids = torch.randint(1000, 30000, (examples, source))
    settings = {"max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": False, "num_beams": 1,
                "decoder_start_token_id": 101, "pad_token_id": 0, "eos_token_id": 102}  # fmt: skip

    def work() -> None:
        with torch.inference_mode():
            found = model.generate(ids, attention_mask=torch.ones_like(ids), **settings)
        assert found.shape == (examples, 1 + tokens), found.shape

    work()
    return Work(lambda: rate(work, tokens * examples))


def _opened(folder: str, precision: str) -> tuple[Any, Any]:
    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=getattr(torch, precision))
    return tokenizer, model.eval()


def main(folder: str, texts: str | None = None) -> None:
    tokenizer, model = _opened(folder, "bfloat16")
    print(*labels_by_length(tokenizer, model, ["A joy from start to end."] if texts is None else read(texts)), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
