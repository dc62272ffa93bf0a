"""What PyTorch and Transformers compute, in a process of its own: TensorFlow and PyTorch do not share one everywhere.

parity.py calls it: python torch_side.py JOB ARGUMENTS.json RESULT.npz, where JOB is one of the functions in JOBS, and
its arguments and results are named NumPy arrays, numbers, strings and lists. `make_golden.py` uses `reference`.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers


def reference(folder: str, texts: list[str]) -> dict[str, np.ndarray]:
    """Transformers' answer, one text at a time, so without padding.

    Returns: token_ids of all texts one after the other, their lengths [E], hidden_states [L+1, tokens, D] and
        pooled_output [E, D].
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    ids = [tokenizer(text)["input_ids"] for text in texts]
    hidden, pooled = [], []
    with torch.inference_mode():
        for row in ids:
            output = model(torch.tensor([row]), output_hidden_states=True)
            hidden.append(np.stack([state[0].numpy() for state in output.hidden_states]))
            pooled.append(output.pooler_output[0].numpy())
    return {
        "token_ids": np.concatenate([np.asarray(row, np.int32) for row in ids]),
        "lengths": np.asarray([len(row) for row in ids], np.int32),
        "hidden_states": np.concatenate(hidden, axis=1),
        "pooled_output": np.stack(pooled),
    }


def classify(folder: str, texts: list[str], labels: list[int]) -> dict[str, Any]:
    """A folder as Transformers loads it: what it found wrong, its class names, logits, loss, and BertModel's output."""
    model, report = transformers.AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    bare = transformers.BertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        output = model.eval()(**batch, labels=torch.tensor(labels))
        pooled = bare(**batch).pooler_output
    return {
        "troubles": [f"{kind}: {name}" for kind, names in report.items() for name in names],
        "class_names": [model.config.id2label[i] for i in range(model.config.num_labels)],
        "token_ids": batch["input_ids"].numpy(),
        "logits": output.logits.numpy(),
        "loss": output.loss.numpy(),
        "pooled_output": pooled.numpy(),
    }


def masked_lm(folder: str, texts: list[str]) -> dict[str, Any]:
    """A folder as BertForMaskedLM loads it: what it found wrong, and the logits of all tokens of the texts."""
    model, report = transformers.BertForMaskedLM.from_pretrained(folder, output_loading_info=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model.eval()(**batch).logits
    return {
        "troubles": [f"{kind}: {name}" for kind, names in report.items() for name in names],
        "token_ids": batch["input_ids"].numpy(),
        "logits": logits.numpy(),
    }


def random_model(folder: str, token_ids: list[list[int]], padding_mask: list[list[int]]) -> dict[str, np.ndarray]:
    """Writes a small BertModel with random weights, and gives its outputs."""
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=12,
        initializer_range=0.5,
    )
    model = transformers.BertModel(config).eval()
    model.save_pretrained(folder)
    with torch.inference_mode():
        output = model(torch.tensor(token_ids), torch.tensor(padding_mask))
    return {
        "sequence_output": output.last_hidden_state.numpy(),
        "pooled_output": output.pooler_output.numpy(),
    }


def train(
    folder: str, ids: list[list[int]], labels: list[int], batches: list[list[int]], settings: dict[str, float]
) -> dict[str, Any]:
    """A few updates as Transformers' Trainer takes them, without dropout: losses, norms, rates, and logits after."""
    options = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, **options).train()
    plain = [parameter for name, parameter in model.named_parameters() if name.endswith("bias") or "LayerNorm" in name]
    decayed = [parameter for parameter in model.parameters() if not any(parameter is other for other in plain)]
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
        rows = [torch.tensor(ids[e]) for e in examples]
        token_ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        loss = model(token_ids, mask, labels=torch.tensor([labels[e] for e in examples])).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        results.append((loss.item(), norm.item(), schedule.get_last_lr()[0]))
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    with torch.inference_mode():
        logits = torch.cat([model.eval()(torch.tensor([row])).logits for row in ids])
    loss, norm, rate = np.asarray(results).T
    return {"loss": loss, "norm": norm, "rate": rate, "logits": logits.numpy()}


JOBS = {job.__name__: job for job in (reference, classify, masked_lm, random_model, train)}

if __name__ == "__main__":
    _, job_name, arguments_file, result_file = sys.argv
    arguments = json.loads(Path(arguments_file).read_text(encoding="utf-8"))
    np.savez(result_file, **JOBS[job_name](**arguments))  # pyright: ignore[reportArgumentType]
