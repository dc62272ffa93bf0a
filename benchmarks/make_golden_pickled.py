"""Makes tests/golden/pickled.zip: the model of tests/golden/tiny as people have it saved by PyTorch.

    python benchmarks/make_golden_pickled.py        (needs PyTorch and Transformers)

State dicts in checkpoints of training frameworks, whole modules, parts apart, quantised weights. All hold the numbers
of tests/golden/tiny/model.safetensors, so that no answers need to be stored.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import enum
import functools
import io
import pathlib
import warnings
import zipfile

import numpy as np

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"


class Kind(enum.Enum):
    """A user's own setting."""

    SMALL = 1


@dataclasses.dataclass
class Settings:
    """A user's own settings."""

    rate: float = 0.1
    kind: Kind = Kind.SMALL


def main() -> None:
    """Writes the zip."""
    import torch
    import transformers

    warnings.simplefilter("ignore")
    torch.manual_seed(1)
    model = transformers.BertForSequenceClassification.from_pretrained(GOLDEN / "tiny").eval()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)
    model(torch.tensor([[1, 2, 3]])).logits.sum().backward()
    optimizer.step()  # its slots, and no change
    optimizer.zero_grad(set_to_none=True)
    lightning = {
        "epoch": 1,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": {f"model.{name}": tensor for name, tensor in state.items()},
        "callbacks": {"ModelCheckpoint": {"best_model_path": pathlib.PosixPath("/x"), "score": torch.tensor(0.5)}},
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [collections.defaultdict(list)],
        "hyper_parameters": argparse.Namespace(rate=1e-3, when=datetime.datetime(2026, 1, 1)),
    }
    everything = {
        "model": model,
        "optimizer": optimizer,
        "loss": np.float64(1.5),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "seen": {1, 2},
        "frozen": frozenset([1]),
        "function": functools.partial(int, base=2),
        "random": np.random.default_rng(1).normal(size=3),
    }
    parts = {"bert": model.bert.state_dict(), "classifier": model.classifier.state_dict()}
    quantized = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    files = {
        "lightning.ckpt": lightning,
        "deepspeed.pt": {"module": state, "optimizer": None, "ds_config": {"x": {1: 2}}},
        "whole.pt": model,
        "parallel.pt": torch.nn.DataParallel(model),
        "everything.pth": everything,
        "own_classes.bin": {"model": state, "settings": Settings()},
        "parameters.bin": collections.OrderedDict((name, torch.nn.Parameter(value)) for name, value in state.items()),
        "parts.pt": parts,
        "tuple.pt": (state, optimizer.state_dict(), 3),
        "two.pt": {"model": state, "ema": {name: tensor * 0 for name, tensor in state.items()}},
        "quantized.bin": quantized.state_dict(),
    }
    with zipfile.ZipFile(GOLDEN / "pickled.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            _add(archive, name, value)
        _add(archive, "whole_old.pt", model, _use_new_zipfile_serialization=False)


def _add(archive: zipfile.ZipFile, name: str, value: object, **options: object) -> None:
    import torch

    file = io.BytesIO()
    torch.save(value, file, **options)
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, file.getvalue())


if __name__ == "__main__":
    main()
