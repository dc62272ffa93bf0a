"""Peak memory of fine-tuning BERT-base at 32 examples of 128 tokens, this library compared with Transformers.

    python -m benchmarks.memory --torch-python=.venv-parity/bin/python --data=../shared/data/sst2

Random weights at base size in the same Hugging Face folder; rows of 128 tokens from SST-2's sentences, joined. Each
side takes five updates in a process of its own, whose largest resident set is told.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
UPDATES = 5
ROWS, LENGTH = 32, 128


def texts(data: str) -> list[str]:
    """Enough rows for all updates, each longer than 128 tokens and cut by the tokenizers."""
    lines = (Path(data) / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    sentences = iter(line.rsplit("\t", 1)[0] for line in lines)
    return [" ".join(next(sentences) for _ in range(40)) for _ in range(ROWS * UPDATES)]


def ours(backbone: str, data: str, precision: str, recompute: bool) -> None:
    """This library's side: the loop's own parts, one example a row."""
    from bert_tf.config import Layer, resolve
    from bert_tf.data import Epochs, choose_layout, encode
    from bert_tf.kinds.definitions import load_task
    from bert_tf.machine.threads import parts_at_once
    from bert_tf.text import BertTokenizer
    from bert_tf.training.engine import make_engine
    from bert_tf.training.optimizers.adamw import AdamW
    from bert_tf.training.optimizers.schedule import Schedule
    from bert_tf.training.reports.results import peak_memory_bytes
    from bert_tf.training.step import TrainStep
    from bert_tf.training.strategy import make_placement
    from bert_tf.training.trained_model import TrainedModel

    policy = "mixed_bfloat16" if precision == "bfloat16" else precision
    values = {
        "task": "sst2",
        "backbone": backbone,
        "model": {"recompute": recompute},
        "training": {"precision": policy},
    }
    config, kind = resolve([Layer(origin="benchmark", values=values)]), load_task("sst2")
    rows = texts(data)
    tokenizer = BertTokenizer.from_pretrained(backbone)
    features = encode(tokenizer, rows, labels=[i % 2 for i in range(len(rows))], max_length=LENGTH)
    assert (features.lengths == LENGTH).all()
    placement = make_placement("one_device")
    trained = TrainedModel(kind.build_model(config), {"train": features}, placement.strategy)
    epochs = Epochs.of(features.lengths, choose_layout(features.lengths, ROWS), seed=1)
    with placement.strategy.scope():
        optimizer = AdamW(trained.trainable, Schedule(peak=1e-5, total_steps=100), weight_decay=0.01)
    step = TrainStep(
        trained.model, kind.per_example_loss, optimizer, clip_norm=1.0, at_once=parts_at_once(trained.config.hidden_dim)
    )
    run = make_engine(placement, step, trained.features["train"], epochs, start=0)
    for _ in range(UPDATES):
        run(1)
    print(f"= {peak_memory_bytes()}")


def theirs(backbone: str, data: str, precision: str) -> None:
    """Transformers' side."""
    import resource

    import torch  # pyright: ignore[reportMissingImports]
    import transformers  # pyright: ignore[reportMissingImports]

    tokenizer = transformers.AutoTokenizer.from_pretrained(backbone)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=2).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    rows = texts(data)
    for start in range(0, len(rows), ROWS):
        batch = tokenizer(rows[start : start + ROWS], truncation=True, max_length=LENGTH, return_tensors="pt")
        assert batch["input_ids"].shape == (ROWS, LENGTH)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(**batch, labels=torch.arange(ROWS) % 2).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    print(f"= {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}")


def measure(python: str, *arguments: str) -> float:
    """GiB that a side reports."""
    done = subprocess.run(
        [python, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent
    )
    return int(done.stdout.rsplit("= ", 1)[1]) / 2**30


def make_backbone(folder: str) -> None:
    """BERT-base with random weights and MiniLM's vocabulary."""
    from bert_tf.models import BertBackbone, size_config
    from bert_tf.models.pretrained import save_model
    from bert_tf.text import BertTokenizer

    save_model(BertBackbone(size_config("base")), folder, BertTokenizer.from_pretrained("minilm"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", required=True, help="a Python that has torch and transformers")
    parser.add_argument("--data", required=True, help="folder with SST-2's train.tsv")
    flags = parser.parse_args()
    data = str(Path(flags.data).resolve())
    with tempfile.TemporaryDirectory() as folder:
        backbone = str(Path(folder) / "base")
        subprocess.run([sys.executable, __file__, "backbone", backbone], check=True, cwd=HERE.parent)
        for precision in ("float32", "bfloat16"):
            peer = measure(flags.torch_python, "theirs", backbone, data, precision)
            print(f"{precision:9s} transformers {peer:5.2f} GiB")
            for name, recompute in (("bert_tf", "no"), ("bert_tf, recompute", "yes")):
                own = measure(sys.executable, "ours", backbone, data, precision, recompute)
                print(f"{precision:9s} {name} {own:5.2f} GiB, {own / peer:.2f} times")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    if len(sys.argv) > 1 and sys.argv[1] == "backbone":
        make_backbone(sys.argv[2])
    elif len(sys.argv) > 1 and sys.argv[1] == "ours":
        ours(*sys.argv[2:5], recompute=sys.argv[5] == "yes")
    elif len(sys.argv) > 1 and sys.argv[1] == "theirs":
        theirs(*sys.argv[2:5])
    else:
        main()
