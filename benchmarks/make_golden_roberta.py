"""Makes tests/golden/roberta_folders.zip: a small random RoBERTa with byte pairs, as Transformers writes its folders.

    python -m benchmarks.make_golden_roberta      (needs PyTorch, Transformers 5)

saved/ has tokenizer.json, as Transformers 5 writes it; older/ vocab.json and merges.txt, as versions before it did. The
weights are the same.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from benchmarks.make_golden_byte_pairs import written

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "roberta_folders.zip"
DATE = (2026, 1, 1, 0, 0, 0)  # so that the file is the same each time


def main() -> None:
    """Writes the file."""
    import torch
    import transformers

    torch.manual_seed(2)
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED) as archive:
        folders = [Path(work) / name for name in ("saved", "older")]
        for folder in folders:
            folder.mkdir()
            written(folder, folder.name)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folders[0])
        config = transformers.RobertaConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=24, max_position_embeddings=66, type_vocab_size=1, initializer_range=0.3,
            pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.cls_token_id,
            eos_token_id=tokenizer.sep_token_id,
        )  # fmt: skip
        model = transformers.RobertaForMaskedLM(config)
        for folder in folders:
            model.save_pretrained(folder)
            for path in sorted(folder.iterdir()):
                info = zipfile.ZipInfo(f"{folder.name}/{path.name}", DATE)
                archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
