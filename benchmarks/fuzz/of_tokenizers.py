"""Readers of tokenizers that are not WordPiece, and of a folder with a generator."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.fuzz.mutations import changed_json
from benchmarks.fuzz.reader import Reader

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>", "▁", "a", "b", "c", "ab", "abc", "▁a", "▁ab", "▁abc")
MODEL = "sentencepiece.bpe.model"
SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "config.json")


def files_of(folder: Path) -> None:
    """What the files of a tokenizer say, whichever it is; no tables are made of it."""
    from bert_tf.text.files.choice import choose

    choose(folder).tokenizer._read(folder, (), {})


def tokenizer_of(folder: Path) -> None:
    from bert_tf.text import Tokenizer

    str(Tokenizer.from_pretrained(folder))


def roberta(name: str) -> Callable[[Path], None]:
    """Makes a folder as Transformers writes it: `saved` has tokenizer.json, `older` vocab.json and merges.txt."""

    def make(folder: Path) -> None:
        with zipfile.ZipFile(GOLDEN / "roberta_folders.zip") as archive:
            for member in archive.namelist():
                if member.startswith(f"{name}/") and not member.endswith(".safetensors"):
                    (folder / Path(member).name).write_bytes(archive.read(member))

    return make


def pieces(folder: Path) -> None:
    from bert_tf.text import SentencePieceTokenizer

    steps = ({"type": "NFKC"}, {"type": "Lowercase"})
    SentencePieceTokenizer([(piece, -float(i)) for i, piece in enumerate(PIECES)], normalizer=steps).save_pretrained(
        folder
    )


def merged_pieces(folder: Path) -> None:
    from bert_tf.text import SentencePieceTokenizer

    merges = [("a", "b"), ("ab", "c"), ("▁", "a"), ("▁", "ab"), ("▁", "abc")]
    SentencePieceTokenizer([(piece, 0.0) for piece in PIECES], merges=merges).save_pretrained(folder)


def model_file(folder: Path) -> None:
    with tarfile.open(GOLDEN / "sentence_pieces.tar.xz") as archive:
        for name in (MODEL, "tokenizer_config.json"):
            found = archive.extractfile(f"camembert_model/{name}")
            assert found is not None
            with (folder / name).open("wb") as file:
                shutil.copyfileobj(found, file)


def generator(folder: Path) -> None:
    """A discriminator's folder, with its generator's in it."""
    with zipfile.ZipFile(GOLDEN / "replaced_tokens.zip") as archive:
        for member in archive.namelist():
            if member.startswith("model/") and not member.endswith("/"):
                path = folder / member.removeprefix("model/")
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(archive.read(member))


def replaced_tokens_of(folder: Path) -> None:
    from bert_tf import BertReplacedTokens

    BertReplacedTokens.from_pretrained(folder, generator_width=0.5, generator_layers=0.5)


def readers_of_tokenizers() -> dict[str, Reader]:
    """Readers, by name."""
    words = dict.fromkeys(SETTINGS[:1], changed_json)
    return {
        "tokenizer.json of byte pairs": Reader(roberta("saved"), files_of, {"tokenizer.json": changed_json, **words}),
        "vocab.json and merges.txt": Reader(
            roberta("older"), files_of,
            {"vocab.json": changed_json, "merges.txt": None, **dict.fromkeys(SETTINGS, changed_json)},
        ),
        "tokenizer.json of SentencePiece": Reader(pieces, files_of, {"tokenizer.json": changed_json, **words}),
        "tokenizer.json of SentencePiece's byte pairs": Reader(
            merged_pieces, files_of, {"tokenizer.json": changed_json, **words}
        ),
        "a model of SentencePiece": Reader(model_file, files_of, {MODEL: None, **words}),
        "built byte pairs": Reader(roberta("saved"), tokenizer_of, {"tokenizer.json": changed_json}, share=0.05),
        "a built SentencePiece": Reader(pieces, tokenizer_of, {"tokenizer.json": changed_json}, share=0.05),
        "SentencePiece's built byte pairs": Reader(
            merged_pieces, tokenizer_of, {"tokenizer.json": changed_json}, share=0.05
        ),
        "a generator": Reader(
            generator, replaced_tokens_of, {"generator/config.json": changed_json, "config.json": changed_json},
            share=0.02,
        ),
    }  # fmt: skip
