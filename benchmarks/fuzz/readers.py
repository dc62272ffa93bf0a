"""The readers: how a valid folder of each is made, which of its files are changed, and what reads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.fuzz.mutations import changed_json
from benchmarks.fuzz.of_parts import readers_of_parts
from benchmarks.fuzz.of_runs import readers_of_runs
from benchmarks.fuzz.of_tokenizers import readers_of_tokenizers
from benchmarks.fuzz.reader import Reader

TINY = Path(__file__).resolve().parents[2] / "tests" / "golden" / "tiny"
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "##s", "it", "naïve")


def weights_of(folder: Path) -> None:
    """Everything of a folder of weights but the Keras model."""
    from bert_tf import weights
    from bert_tf.models.pretrained.loading import _config
    from bert_tf.weights.refused import accepted

    found = weights.load(folder)
    _config(found)
    for path in found.arrays:
        assert found.arrays[path].shape == found.arrays.shape(path)
    accepted(found.settings)


def tokenizer_of(folder: Path) -> None:
    from bert_tf.text import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(folder)
    str(tokenizer)


def tokenizer_files(folder: Path) -> None:
    from bert_tf.text import files

    files.read(folder)


def hugging_face(folder: Path, name: str = "model.safetensors") -> None:
    shutil.copy(TINY / name, folder / ("pytorch_model.bin" if name.endswith(".bin") else name))
    config = json.loads((TINY / "config.json").read_text()) | {"id2label": {"0": "no", "1": "yes"}}
    config |= {"architectures": ["BertModel"], "model_type": "bert", "label2id": {"no": 0, "yes": 1}, "bert_tf": {}}
    (folder / "config.json").write_text(json.dumps(config))


def shards(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    hugging_face(folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: tensors[name] for name in part}, folder / file)
    places = {name: file for file, part in parts.items() for name in part}
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def sentence_transformers(folder: Path) -> None:
    hugging_face(folder)
    parts = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_N", "Normalize"))
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(parts)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 16, "do_lower_case": false}')
    prompts = {"prompts": {"query": "query: "}, "default_prompt_name": "query", "similarity_fn_name": "cosine"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))


def keras_hub(folder: Path) -> None:
    from bert_tf import weights

    source = folder / "source"
    source.mkdir()
    hugging_face(source)
    found = weights.load(source)
    rng = np.random.default_rng(1)
    dim = found.config["hidden_dim"]
    head = {"classifier/kernel": rng.normal(size=(dim, 2)), "classifier/bias": np.zeros(2)}
    arrays = {path: found.arrays[path] for path in found.arrays}
    arrays |= {path: array.astype(np.float32) for path, array in head.items()}
    kept = {**found.config, "activation": "gelu_tanh"}
    weights.save_keras_hub(folder, kept, arrays, vocabulary=WORDS, lowercase=True)
    shutil.rmtree(source)


def google(folder: Path) -> None:
    from bert_tf import weights

    source = folder / "source"
    source.mkdir()
    hugging_face(source)
    found = weights.load(source)
    weights.save_google(folder, found.config, {path: found.arrays[path] for path in found.arrays}, vocabulary=WORDS)
    shutil.rmtree(source)


def tokenizer(folder: Path) -> None:
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in WORDS))
    added = {"4": {"content": "[MASK]", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False,
                   "special": True}}  # fmt: skip
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "strip_accents": None, "model_max_length": 16,
              "cls_token": "[CLS]", "mask_token": {"content": "[MASK]", "lstrip": True},
              "additional_special_tokens": [],
              "added_tokens_decoder": added, "model_input_names": ["input_ids", "attention_mask"]}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    names = {"cls_token": "[CLS]", "sep_token": {"content": "[SEP]"}, "additional_special_tokens": ["[X]"]}
    (folder / "special_tokens_map.json").write_text(json.dumps(names))
    (folder / "added_tokens.json").write_text('{"[X]": 12}')
    (folder / "config.json").write_text('{"model_type": "bert", "tokenizer_class": "BertTokenizer"}')


def tokenizer_json(folder: Path) -> None:
    ids = {word: i for i, word in enumerate(WORDS)}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": ids[word], "content": word, **flags} for word in WORDS[:5]]
    around = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]  # fmt: skip
    pair = [*around, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    special = {word: {"id": word, "ids": [ids[word]], "tokens": [word]} for word in ("[CLS]", "[SEP]")}
    value = {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0},
        "padding": None, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": around, "pair": pair, "special_tokens": special},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": ids},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(value))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')


READERS: dict[str, Reader] = {
    "a Hugging Face folder": Reader(hugging_face, weights_of, {"config.json": changed_json}),
    "safetensors": Reader(hugging_face, weights_of, {"model.safetensors": None}),
    "a pickle in a zip file": Reader(
        lambda folder: hugging_face(folder, "pytorch_model.bin"), weights_of, {"pytorch_model.bin": None}
    ),
    "a pickle": Reader(lambda folder: hugging_face(folder, "legacy.bin"), weights_of, {"pytorch_model.bin": None}),
    "an index of shards": Reader(shards, weights_of, {"model.safetensors.index.json": changed_json}),
    "sentence-transformers": Reader(
        sentence_transformers, weights_of,
        dict.fromkeys(("modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
                       "config_sentence_transformers.json"), changed_json),
    ),
    "a KerasHub preset": Reader(
        keras_hub, weights_of,
        dict.fromkeys(("config.json", "task.json", "preprocessor.json", "tokenizer.json"), changed_json),
    ),
    "HDF5": Reader(keras_hub, weights_of, {"model.weights.h5": None, "task.weights.h5": None}),
    "a TF 1 checkpoint": Reader(
        google, weights_of,
        {"bert_model.ckpt.index": None, "bert_model.ckpt.data-00000-of-00001": None, "bert_config.json": changed_json},
        share=0.25,
    ),
    "tokenizer files": Reader(
        tokenizer, tokenizer_files,
        dict.fromkeys(("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "config.json"),
                      changed_json),
    ),
    "vocab.txt": Reader(tokenizer, tokenizer_files, {"vocab.txt": None}),
    "tokenizer.json": Reader(tokenizer_json, tokenizer_files, {"tokenizer.json": changed_json}),
    "a built tokenizer": Reader(
        tokenizer, tokenizer_of, {"tokenizer_config.json": changed_json, "special_tokens_map.json": changed_json},
        share=0.1,
    ),
}  # fmt: skip


def every() -> Iterator[tuple[str, Reader]]:
    """All readers, by name."""
    yield from {**READERS, **readers_of_tokenizers(), **readers_of_runs(), **readers_of_parts()}.items()
