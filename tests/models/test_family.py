"""Every other member of the family, by its table: compared with Transformers, and everything that stands on it."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file, save_file

import bert_tf
from bert_tf.config import override_layer, resolve
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import Classification, Pretraining, Regression, Retrieval, SpanQA, Tagging
from bert_tf.kinds.folders import length_of
from bert_tf.kinds.registry import kind_of
from bert_tf.models import weights_by_path
from bert_tf.models.heads import MODELS as HEADS
from bert_tf.text.files.choice import ROWS
from bert_tf.weights.members import MEMBERS
from bert_tf.weights.tables import blocks_of, read_backwards
from tests.checks import check_keras_file
from tests.models.members import SHAPES
from tests.rest_slow import rest_slow

GOLDEN = Path(__file__).parents[1] / "golden"
LONGER = {"modernbert": ["a good film who is bad e ? " * 4 + "anna", "is Anna a film ?", "bad"]}
TEXTS, PAIRS = ["a good film", "who is Anna ?", "bad"], ["bad film", "Anna is a dab hand", "a b c d e"]


class Case(NamedTuple):
    """A folder of the golden ones.

    Args:
        cls: the model that reads it.
        outputs: what Transformers gives, by its names, of what the model gives.
        loss: of the model, its inputs and the labels of Transformers; None: it has none.
        kind: which kind answers for the folder.
    """

    cls: str
    outputs: Callable[[Any], Mapping[str, Any]]
    loss: Callable[[Any, Any, Any], Any] | None
    kind: Any


def own_loss(model, inputs, truth):
    return model.compute(inputs, labels=truth["labels"])["loss"]


def loss_of_spans(model, inputs, truth):
    """Theirs, in which an answer may stand in the padding; not so of members of which padding differs there."""
    logits = tf.cast(model(inputs), tf.float32)
    if model.config.model_type in PADDING_DIFFERS:
        logits -= 1e9 * (1.0 - inputs["padding_mask"][..., None].astype("float32"))
    places = (truth["start_positions"], truth["end_positions"])
    return tf.add_n(
        [
            tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(place, logits[..., k])) / 2
            for k, place in enumerate(places)
        ]
    )


def loss_of_choices(model, inputs, truth):
    return -tf.nn.log_softmax(model(inputs))[int(truth["labels"][0])]


def logits(found):
    return {"logits": found}


def pretrainer(pair_logits: str, pair_label: str) -> Case:
    """Of tokens and pairs, by the names that Transformers' class has for the second."""
    return Case(
        "BertPretrainer",
        lambda x: {"prediction_logits": x["masked_lm_logits"], pair_logits: x["pair_logits"]},
        lambda model, inputs, truth: model.compute(inputs, labels=truth["labels"], pair_labels=truth[pair_label])[
            "loss"
        ],
        Pretraining,
    )


CASES = {
    "backbone": Case("BertBackbone", lambda found: {"last_hidden_state": found["sequence_output"]}, None, None),
    "discriminator": Case("BertDiscriminator", logits, own_loss, None),
    "classifier": Case("BertClassifier", logits, own_loss, Classification),
    "regression": Case("BertClassifier", logits, own_loss, Regression),
    "tagger": Case("BertTagger", logits, own_loss, Tagging),
    "span_qa": Case(
        "BertSpanQA", lambda x: {"start_logits": x[..., 0], "end_logits": x[..., 1]}, loss_of_spans, SpanQA
    ),
    "pretrainer": pretrainer("sop_logits", "sentence_order_label"),
    "pair_pretrainer": pretrainer("seq_relationship_logits", "next_sentence_label"),
    "masked_lm": Case("BertMaskedLM", lambda x: {"logits": x["masked_lm_logits"]}, own_loss, Pretraining),
    "choice": Case("BertMultipleChoice", lambda x: {"logits": x[None]}, loss_of_choices, None),
}
USUAL = ("backbone", "classifier", "regression", "tagger", "span_qa", "masked_lm", "choice")
FOLDERS = {
    "electra": (*USUAL, "discriminator"),
    "mpnet": USUAL,
    "roberta": USUAL,
    "xlm-roberta": tuple(name for name in USUAL if name != "regression"),
    "camembert": tuple(name for name in USUAL if name != "regression"),
    "albert": (*(name for name in USUAL if name != "regression"), "pretrainer"),
    "modernbert": USUAL,
    "deberta-v2": USUAL,
    "mobilebert": (*USUAL, "pair_pretrainer"),
}
PADDING_DIFFERS = ("deberta-v2",)  # there it sees nothing, here what is real; nobody sees it
# Of members whose options others have too, a part is fast.
FAST = {
    "roberta": ("classifier",), "xlm-roberta": ("masked_lm",), "camembert": (), "albert": ("tagger", "pretrainer"),
    "deberta-v2": ("tagger",), "mobilebert": ("pair_pretrainer",),
}  # fmt: skip
EVERY = [
    pytest.param(member, name, marks=() if name in FAST.get(member, names) else pytest.mark.slow)
    for member, names in FOLDERS.items()
    for name in names
]
SIZES = {
    "vocabulary_size": 28, "hidden_dim": 4, "num_layers": 2, "num_heads": 2, "intermediate_dim": 6, "max_positions": 32,
    "initializer_range": 0.5,
}  # fmt: skip
# With fewer options than MPNet, or with fast tests in a file of their own.
SELDOM = ("roberta", "xlm-roberta", "camembert", "deberta-v2", "mobilebert")
every_member = pytest.mark.parametrize(
    "member", [pytest.param(name, marks=pytest.mark.slow if name in SELDOM else ()) for name in FOLDERS]
)
WITH_WORDS = tuple(
    member for member in FOLDERS if member == "modernbert" or any(MEMBERS[member].prefix in row.classes for row in ROWS)
)
"""Those whose own tokenizers are read; ModernBERT's folders have BERT's."""
every_tokenizer = pytest.mark.parametrize("member", rest_slow(WITH_WORDS, "roberta"))


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("members")
    for member in FOLDERS:
        with zipfile.ZipFile(GOLDEN / f"{member}.zip") as archive:
            archive.extractall(folder / member)
    return folder


def model_of(folder: Path, name: str, **options: Any) -> Any:
    return getattr(bert_tf, CASES[name].cls).from_pretrained(folder, **options)


def truth_of(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "truth.npz") as file:
        return dict(file)


def inputs_of(truth: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = {"input_ids": "token_ids", "attention_mask": "padding_mask", "token_type_ids": "segment_ids"}
    return {ours: truth[theirs].astype("int32") for theirs, ours in names.items() if theirs in truth}


def assert_equals_truth(model: Any, name: str, truth: Mapping[str, np.ndarray]) -> None:
    inputs = inputs_of(truth)
    real = inputs["padding_mask"].astype(bool)
    for key, ours in CASES[name].outputs(model(inputs)).items():
        theirs = truth[key]
        per_token = theirs.shape[:2] == real.shape
        found = np.asarray(ours)[real] if per_token else np.asarray(ours)
        np.testing.assert_allclose(found, theirs[real] if per_token else theirs, atol=1e-5, rtol=0)


def altered(folder: Path, target: Path, *, tensors=None, config: Mapping[str, Any] | None = None) -> Path:
    """A copy with its tensors put through a function, and keys of config.json changed, or left out where None."""
    shutil.copytree(folder, target)
    if tensors is not None:
        save_file(tensors(load_file(folder / "model.safetensors")), target / "model.safetensors")
    raw = json.loads((folder / "config.json").read_text()) | dict(config or {})
    (target / "config.json").write_text(json.dumps({key: value for key, value in raw.items() if value is not None}))
    return target


def gradients_by_their_names(model: Any, loss: Callable[[], Any]) -> dict[str, np.ndarray]:
    """Each tensor's gradient under its name in the file, and as it lies there."""
    variables = weights_by_path(model)
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, {path: weight.value for path, weight in variables.items()})
    member, config = model.config.member, model.config
    arrays = {path: np.array(tf.convert_to_tensor(x)) for path, x in found.items() if x is not None}
    rows = member.rows_of(HEADS[type(model).__name__].end)
    theirs = read_backwards(rows, arrays, num_heads=config.num_heads, **blocks_of(config.to_dict()))
    return {f"{member.base if name.startswith(member.backbone) else ''}{name}": x for name, x in theirs.items()}


def name_of(member: str, path: str, end: str = "Model") -> str:
    """A tensor's name in a file of a head, without the prefix of its backbone."""
    return next(row.name for row in MEMBERS[member].rows_of(end) if row.path == path)


@pytest.mark.parametrize(("member", "name"), EVERY)
def test_outputs_hidden_states_and_gradients_are_those_of_transformers(golden, member, name, caplog):
    with caplog.at_level(logging.WARNING):
        model = model_of(golden / member / name, name, new_weights="forbid")
    assert not caplog.records
    truth = truth_of(golden / member / name)
    assert_equals_truth(model, name, truth)
    inputs = inputs_of(truth)
    backbone, mask = getattr(model, "backbone", model), truth["attention_mask"].astype(bool)
    x = backbone.embeddings(inputs["token_ids"], segment_ids=inputs.get("segment_ids"))
    told = backbone.tell(inputs)
    for i, theirs in enumerate(truth["hidden_states"]):
        x = x if i == 0 else backbone.blocks[i - 1](x, **told[i - 1])
        ours = backbone.normal(x) if i == len(told) else x  # the last one as the encoder hands it out
        np.testing.assert_allclose(np.asarray(ours)[mask], theirs[mask], atol=1e-5, rtol=0)
    loss = CASES[name].loss
    if loss is None:
        return
    np.testing.assert_allclose(loss(model, inputs, truth), truth["loss"], rtol=1e-5)
    found = gradients_by_their_names(model, lambda: loss(model, inputs, truth))
    wanted = {key.removeprefix("grad/"): array for key, array in truth.items() if key.startswith("grad/")}
    assert set(found) == set(wanted)
    if name == "span_qa" or model.config.trigram:  # PyTorch lets what stands for padding learn nothing by look-up
        rows = {"token": model.config.pad_token_id}
        rows |= {"position": model.config.first_position - 1} if model.config.first_position else {}
        for table, row in rows.items():
            key = MEMBERS[member].base + name_of(member, f"embeddings/{table}/table")
            if name != "span_qa" and wanted[key][row].any():  # but as a token that is guessed
                wanted[key][row] = 0.0
            assert not wanted[key][row].any()
            found[key][row] = 0.0
    for key, array in wanted.items():
        np.testing.assert_allclose(found[key], array, atol=1e-4, rtol=1e-4, err_msg=key)


@pytest.mark.parametrize(("member", "name"), EVERY)
def test_what_came_in_goes_out(golden, tmp_path, member, name):
    folder = golden / member / name
    model = model_of(folder, name)
    model.save_pretrained(tmp_path / "x")
    theirs, ours = (load_file(place / "model.safetensors") for place in (folder, tmp_path / "x"))
    assert set(ours) == set(theirs)
    for key, array in theirs.items():
        np.testing.assert_array_equal(ours[key], array, err_msg=key)
    raw, saved = (json.loads((place / "config.json").read_text()) for place in (folder, tmp_path / "x"))
    row = MEMBERS[member]
    kept = {"architectures", "model_type", *(used.key for used in row.used.values())}
    kept |= {drop.key for drop in row.dropouts if HEADS[CASES[name].cls].end in drop.heads and raw.get(drop.key)}
    kept |= {"id2label"} & set(raw) if name in ("classifier", "tagger") else set()
    assert kept - set(raw) <= {used.key for used in row.used.values() if used.find}  # which others say there
    kept -= {used.key for used in row.used.values() if used.find and used.find(raw) is not None}
    assert {key: saved[key] for key in kept & set(raw)} == {key: raw[key] for key in kept & set(raw)}
    again = model_of(tmp_path / "x", name, new_weights="forbid", extra_weights="forbid")
    assert again.config == model.config
    assert_equals_truth(again, name, truth_of(folder))


def halves(tensors):
    return {name: array.astype("float16") for name, array in tensors.items()}


def brain_halves(tensors):
    return {name: array.astype(ml_dtypes.bfloat16) for name, array in tensors.items()}


@every_member
@pytest.mark.parametrize("change", [halves, brain_halves])
def test_half_precision_is_read(golden, tmp_path, member, change):
    folder = altered(golden / member / "classifier", tmp_path / "x", tensors=change)
    model, expected = (
        model_of(folder, "classifier"),
        change(load_file(golden / member / "classifier/model.safetensors")),
    )
    name = name_of(member, "pooler/dense/kernel", "ForSequenceClassification")
    own = MEMBERS[member].head_rows.get("ForSequenceClassification") or MEMBERS[member].pooler.in_head
    name = name if own else MEMBERS[member].base + name  # a part of the backbone, not of the head
    kernel = expected[name].astype("float32").T
    np.testing.assert_array_equal(weights_by_path(model)["pooler/dense/kernel"], kernel)


@pytest.mark.parametrize(
    ("member", "name"),
    [
        case
        for case in EVERY
        if case.values[1] in ("classifier", "tagger", "span_qa", "masked_lm")
        and case.values != ("modernbert", "span_qa")  # whose tensors are named as a classifier's
    ],
)
def test_where_config_json_names_no_class_the_tensors_decide(golden, tmp_path, caplog, member, name):
    base = MEMBERS[member].base
    folder = altered(
        golden / member / name,
        tmp_path / "x",
        config={"architectures": None},
        tensors=lambda found: {key.removeprefix(base): array for key, array in found.items()},
    )
    with caplog.at_level(logging.WARNING):
        kind, model = kind_of(folder)
    assert type(kind) is CASES[name].kind
    assert f"taken for {model.architecture}" in caplog.text
    assert_equals_truth(model, name, truth_of(folder))


@every_tokenizer
def test_tokens_of_pairs_are_those_of_transformers_and_its_words_are_written_as_its_own(golden, tmp_path, member):
    folder = golden / member / "classifier"
    tokenizer, truth = bert_tf.Tokenizer.from_pretrained(folder), truth_of(folder)
    model_of(folder, "classifier").save_pretrained(tmp_path / "x", tokenizer)
    words = json.loads((tmp_path / "x" / "tokenizer_config.json").read_text())
    own = dict.fromkeys(("xlm-roberta", "camembert", "albert", "deberta-v2"), "PreTrainedTokenizerFast") | {
        "roberta": "RobertaTokenizer"
    }
    usual = MEMBERS[member].words.get("tokenizer_class", "BertTokenizer")
    assert words["tokenizer_class"] == own.get(member, usual)
    assert ("token_type_ids" in words.get("model_input_names", ["token_type_ids"])) == MEMBERS[member].tells_segments
    for place in (folder, tmp_path / "x"):
        found = bert_tf.Tokenizer.from_pretrained(place)(LONGER.get(member, TEXTS), PAIRS)
        for name, theirs in inputs_of(truth).items():
            np.testing.assert_array_equal(found[name], theirs, err_msg=name)


def packed(rows: list[np.ndarray], segments: list[np.ndarray]) -> dict[str, np.ndarray]:
    """All in one row, and padding at its end."""
    lengths = [len(row) for row in rows]
    found = {
        "token_ids": np.concatenate([*rows, [0, 0]]),
        "segment_ids": np.concatenate([*segments, [0, 0]]),
        "example_ids": np.concatenate([np.repeat(np.arange(1, len(rows) + 1), lengths), [0, 0]]),
        "position_ids": np.concatenate([*(np.arange(length) for length in lengths), [0, 0]]),
        "first_positions": np.cumsum([0, *lengths[:-1]]),
    }
    return {name: array[None].astype("int32") for name, array in found.items()}


@every_member
def test_packed_rows_give_what_single_rows_give(golden, member):
    for name in ("classifier", "tagger"):
        model, truth = model_of(golden / member / name, name), truth_of(golden / member / name)
        inputs = inputs_of(truth)
        real = inputs["padding_mask"].astype(bool)
        segments = inputs.get("segment_ids", np.zeros_like(inputs["token_ids"]))
        together = packed(
            *([x[mask] for x, mask in zip(side, real, strict=True)] for side in (inputs["token_ids"], segments))
        )
        found = np.asarray(model(together))[0]
        expected = truth["logits"] if name == "classifier" else truth["logits"][real]
        expected = truth.get("alone/logits", expected)  # of members that see padding
        np.testing.assert_allclose(found[: len(expected)], expected, atol=1e-5, rtol=0)
        if name == "tagger":  # of all tokens, in the last block too
            outputs = model.backbone(together)
            only = model.backbone(together, only_pooled=True)
            np.testing.assert_allclose(outputs["pooled_output"], only["pooled_output"], atol=1e-5)


def config_of(member: str, **changes: Any) -> bert_tf.BertConfig:
    return bert_tf.BertConfig(**{**SIZES, **SHAPES[member], **changes})


def gradients(model: Any) -> list[Any]:
    """Of the loss of a classifier in training, of every weight."""
    ids = np.array([[0, 9, 10, 2, 11, 2], [0, 12, 2, 1, 1, 1]], "int32")
    inputs = {"token_ids": ids, "padding_mask": (ids != 1).astype("int32")}
    with tf.GradientTape() as tape:
        loss = model.compute(inputs, labels=np.array([2, 0]), training=True, seed=tf.constant([3, 4]))["loss"]
    found = tape.gradient(loss, [weight.value for weight in model.trainable_variables])
    return [tf.convert_to_tensor(x) for x in found]  # none is None


def assert_gradients_are_alike(found: list[Any], model: Any, wanted: list[Any], *, atol: float) -> None:
    for ours, x, weight in zip(found, wanted, model.trainable_variables, strict=True):
        np.testing.assert_allclose(ours, x, atol=atol, err_msg=weight.path)


@every_member
def test_blocks_that_run_again_give_every_gradient(member):
    model = bert_tf.BertClassifier(config_of(member), 3)
    again = bert_tf.BertClassifier(config_of(member, recompute=True), 3)
    again.set_weights(model.get_weights())
    assert_gradients_are_alike(gradients(again), model, gradients(model), atol=1e-5)


@pytest.mark.slow
@every_member
def test_xla_and_low_precision_change_no_gradient(member):
    dropouts = ("hidden_dropout", "attention_dropout", "feed_forward_dropout")
    still = dict.fromkeys(dropouts, 0.0)  # XLA draws other numbers
    model = bert_tf.BertClassifier(config_of(member, **still), 3)
    wanted = gradients(model)
    assert_gradients_are_alike(tf.function(lambda: gradients(model), jit_compile=True)(), model, wanted, atol=1e-5)
    half = bert_tf.BertClassifier(config_of(member, **still), 3, dtype="mixed_bfloat16")
    half.set_weights(model.get_weights())
    largest = max(float(tf.reduce_max(tf.abs(x))) for x in wanted)
    assert_gradients_are_alike(gradients(half), model, wanted, atol=0.1 * largest)


@every_member
def test_texts_are_written_as_the_whole_row_says(member):
    """Token by token, with the keys and values that are kept, and all at once."""
    model = bert_tf.BertSeq2Seq(config_of(member).replace(trigram=False))
    source, target = np.array([[0, 9, 10, 11, 2, 1]], "int32"), np.array([[14, 15, 16]], "int32")
    row = np.concatenate([source[:, :5], target], axis=1)
    expected = np.asarray(model({"token_ids": row, "segment_ids": np.array([[0] * 5 + [1] * 3], "int32")}))[0, 4:]
    found, read = model.read({"token_ids": source, "padding_mask": (source != 1).astype("int32")})
    past = model.empty_past(found, bert_tf.models.Generation(max_length=3))
    for place in range(3):
        np.testing.assert_allclose(found[0], expected[place], atol=1e-5)
        found, past = model.next_logits(tf.constant(target[:, place : place + 1]), tf.constant(place), read, past)
    np.testing.assert_allclose(found[0], expected[3], atol=1e-5)


@every_member
@pytest.mark.parametrize(
    "make",
    [
        bert_tf.BertBackbone,
        lambda config: bert_tf.BertClassifier(config, 3),
        bert_tf.BertPretrainer,
        bert_tf.BertDiscriminator,
    ],
    ids=["backbone", "classifier", "pretrainer", "discriminator"],
)
def test_keras_files_and_folders_give_the_model_back(tmp_path, member, make):
    model = make(config_of(member))
    inputs = {"token_ids": np.array([[0, 9, 10, 2, 11, 2]], "int32")}
    first = lambda out: out[min(out)] if isinstance(out, dict) else out  # noqa: E731
    check_keras_file(model, inputs, tmp_path, first)
    model.save_pretrained(tmp_path / "folder")
    again = type(model).from_pretrained(tmp_path / "folder", new_weights="forbid", extra_weights="forbid")
    assert again.config == model.config
    np.testing.assert_array_equal(first(again(inputs)), first(model(inputs)))


@pytest.mark.parametrize(
    ("member", "name", "config", "said"),
    [
        ("electra", "classifier", {"architectures": ["BertModel"]}, "must be of ELECTRA. Received: BertModel"),
        ("electra", "classifier", {"embedding_size": 0}, "`embedding_size` must be an integer of at least 1"),
        ("electra", "classifier", {"embedding_size": 6}, "wrong shape: the model needs .*`vocabulary_size`"),
        ("electra", "choice", {"summary_type": "mean"}, "`summary_type` must be first or absent: the model would be"),
        ("electra", "choice", {"summary_activation": "tanh"}, "`summary_activation` must be gelu or absent"),
        ("electra", "choice", {"summary_use_proj": False}, "`summary_use_proj` must be true or absent"),
        ("mpnet", "tagger", {"relative_attention_num_buckets": 40}, "`relative_attention_num_buckets` must be 32, "),
        ("mpnet", "tagger", {"max_position_embeddings": 2}, "`max_position_embeddings` must be an integer above 2"),
        ("modernbert", "tagger", {"layer_types": ["sliding_attention"] * 2}, "`layer_types` must be full_attention at"),
        ("modernbert", "tagger", {"layer_types": ["full_attention"]}, "`layer_types` must be full_attention at"),
        (
            "modernbert",
            "tagger",
            {"rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 4.0}}},
            "`rope_parameters` must be rope_theta .* without scaling",
        ),
        ("modernbert", "tagger", {"rope_scaling": {"type": "linear", "factor": 2.0}}, "`rope_scaling` must be empty"),
        ("modernbert", "tagger", {"layer_norm_eps": 1e-12}, "`layer_norm_eps` must be norm_eps or absent"),
        ("modernbert", "tagger", {"sliding_window": 3}, "`sliding_window` must be absent"),
        ("modernbert", "tagger", {"local_attention": 1}, "`local_attention` must be an integer of at least 2"),
        ("modernbert", "classifier", {"classifier_pooling": "max"}, "`classifier_pooling` must be one of cls, mean"),
        ("modernbert", "tagger", {"norm_bias": True}, "attention_norm/beta is missing"),
        ("modernbert", "classifier", {"norm_bias": False}, "attn_norm.bias is extra"),
        ("modernbert", "tagger", {"num_attention_heads": 4}, "must be an even multiple of `num_heads`"),
        (
            "roberta",
            "tagger",
            {"max_position_embeddings": 2},
            "`max_position_embeddings` must be more than 1 above `pad_token_id`. Received: .*=2, pad_token_id=1$",
        ),
        (
            "roberta",
            "tagger",
            {"pad_token_id": 60, "max_position_embeddings": 90},
            r"`pad_token_id` must be below `vocab_size`. Received: pad_token_id=60, vocab_size=\d+$",
        ),
        ("roberta", "tagger", {"pad_token_id": -1}, "`pad_token_id` must be an integer of at least 0"),
        ("albert", "tagger", {"num_hidden_groups": 3}, "`num_hidden_groups` must be at most `num_hidden_layers`"),
        (
            "albert",
            "classifier",
            {"num_hidden_groups": 2},
            r"`layer_groups` \(num_hidden_groups in config.json\) is 2, the file has 1 blocks",
        ),
        (
            "albert",
            "backbone",
            {"num_hidden_groups": 1},
            r"`layer_groups` \(num_hidden_groups in config.json\) is 1, the file has 2 blocks.* is extra",
        ),
        ("albert", "tagger", {"inner_group_num": 1}, r"albert_layer_groups.0.albert_layers.1.* is extra"),
        ("albert", "tagger", {"down_scale_factor": 2}, "`down_scale_factor` must be 1 or absent"),
        ("albert", "tagger", {"num_hidden_layers": 4000}, "its config states sizes that its tensors"),
        ("mobilebert", "tagger", {"num_feedforward_networks": 4000}, "its config states sizes that its tensors"),
        ("mobilebert", "tagger", {"num_feedforward_networks": 2}, "block_0/feed_forward_0/intermediate/kernel is miss"),
        ("mobilebert", "classifier", {"num_feedforward_networks": 1}, "ffn.0.intermediate.dense.bias is extra"),
        ("mobilebert", "tagger", {"use_bottleneck": False}, "`true_hidden_size` must be intra_bottleneck_size, or hid"),
        (
            "mobilebert",
            "tagger",
            {"use_bottleneck": False, "true_hidden_size": None},
            "attention/query/kernel .* has the wrong shape",
        ),
        ("mobilebert", "tagger", {"use_bottleneck_attention": True}, "attention/value/kernel .* has the wrong shape"),
        (
            "mobilebert",
            "tagger",
            {"key_query_shared_bottleneck": False},
            "`key_query_shared_bottleneck` must be true, or use_bottleneck_attention, or .* as `hidden_size`. Received",
        ),
        ("mobilebert", "tagger", {"true_hidden_size": 6}, "`true_hidden_size` must be intra_bottleneck_size, or"),
        ("mobilebert", "tagger", {"use_bottleneck": "no"}, "`use_bottleneck` must be true, false or absent"),
        (
            "mobilebert",
            "tagger",
            {"normalization_type": "rms"},
            "`normalization_type` must be one of layer_norm, no_no",
        ),
        ("mobilebert", "tagger", {"trigram_input": False}, "embeddings/projection/kernel .* has the wrong shape"),
        (
            "mobilebert",
            "tagger",
            {"intra_bottleneck_size": 3, "true_hidden_size": None},
            "`num_attention_heads` must divide `intra_bottleneck_size`",
        ),
    ],
)
def test_what_contradicts_itself_or_is_not_followed_is_refused(golden, tmp_path, member, name, config, said):
    with pytest.raises(UserError, match=said):
        model_of(altered(golden / member / name, tmp_path / "x", config=config), name)


@every_member
def test_formats_of_bert_alone_are_refused(tmp_path, member):
    for format_name in ("google", "keras_hub"):
        with pytest.raises(ValueError, match=f"`format` must be hugging_face for a.* format={format_name}"):
            bert_tf.BertBackbone(config_of(member)).save_pretrained(tmp_path / "x", format=format_name)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(("member", "name"), [case for case in EVERY if case.values[0] in WITH_WORDS])
def test_pipeline_answers_by_the_head(golden, member, name):
    if CASES[name].kind is None:
        if name in ("backbone", "discriminator"):
            with pytest.raises(UserError, match="without a head" if name == "backbone" else "tells replaced tokens"):
                Pipeline(golden / member / name)
        return
    pipeline = Pipeline(golden / member / name)
    assert type(pipeline.kind) is CASES[name].kind
    texts = [f"a {pipeline.tokenizer.mask_token} film"] if name == "masked_lm" else TEXTS
    key = {"classifier": "label", "regression": "value", "tagger": "entities", "span_qa": "answer"}.get(name, "masks")
    answers = pipeline(texts, PAIRS) if name == "span_qa" else pipeline(texts)
    assert all(key in answer for answer in answers)


@pytest.mark.slow
@every_tokenizer
def test_vectors_are_those_of_sentence_transformers(golden, tmp_path, member):
    folder = golden / member / "vectors"
    expected = truth_of(folder)["vectors"]
    pipeline = Pipeline(folder)
    assert isinstance(pipeline.kind, Retrieval)
    np.testing.assert_allclose([answer["vector"] for answer in pipeline(TEXTS)], expected, atol=1e-5)
    model = bert_tf.BertEmbedder.from_pretrained(folder, new_weights="forbid", extra_weights="forbid")
    model.save_pretrained(tmp_path / "x", pipeline.tokenizer)
    names = [set(load_file(place / "model.safetensors")) for place in (folder, tmp_path / "x")]
    assert names[0] == names[1]
    np.testing.assert_allclose([answer["vector"] for answer in Pipeline(tmp_path / "x")(TEXTS)], expected, atol=1e-5)


def test_a_discriminator_leaves_padding_and_ignored_tokens_out_and_packs():
    model = bert_tf.BertDiscriminator(config_of("electra"))
    ids = np.array([[2, 9, 10, 3, 0], [2, 11, 3, 0, 0]], "int32")
    labels = np.array([[0, 1, -100, 0, 1], [0, 0, 1, 1, 1]], "int32")
    inputs = {"token_ids": ids, "padding_mask": (ids > 0).astype("int32")}
    found = model.compute(inputs, labels=labels, example_weight=[1.0, 3.0])
    x, y = np.asarray(found["logits"], np.float64), labels
    counted = np.where((ids > 0) & (labels >= 0), [[1.0], [3.0]], 0.0)
    losses = np.logaddexp(0.0, x) - y * x
    np.testing.assert_allclose(found["loss"], (losses * counted).sum() / counted.sum(), rtol=1e-5)
    rows = packed([row[row > 0] for row in ids], [np.zeros(4), np.zeros(3)])
    truth = np.concatenate([labels[0, :4], labels[1, :3], [1, 1]])[None]
    together = model.compute(rows, labels=truth, example_weight=[[1.0, 3.0]])
    np.testing.assert_allclose(together["loss"], found["loss"], rtol=1e-5)
    with pytest.raises(ValueError, match="`labels` are needed for a loss"):
        model.head_loss(found["logits"], inputs)


def test_dropout_of_its_classifier_comes_before_the_pooler_too(golden):
    """As in Transformers: a head whose second dropout is off is still not the same in training."""
    model = model_of(golden / "electra" / "classifier", "classifier")
    assert model.dropout == 0.35
    outputs = {"pooled_output": tf.ones((16, 6))}
    seed = tf.constant([3, 4])
    still, dropped = (np.asarray(model.pooled(outputs, training=on, seed=seed)) for on in (False, True))
    assert np.abs(still - still[0]).max() < 1e-6
    assert np.abs(dropped - still).max(axis=1).min() > 1e-3
    choice = model_of(golden / "electra" / "choice", "choice")
    assert choice.dropout == 0.25
    np.testing.assert_array_equal(choice.pooled(outputs, training=True, seed=seed), choice.pooled(outputs))


def test_mpnets_classifier_drops_before_the_backbones_pooler_too(golden):
    model = model_of(
        golden / "mpnet" / "classifier", "classifier", hidden_dropout=0.0, attention_dropout=0.0, dropout=0.5
    )
    inputs = inputs_of(truth_of(golden / "mpnet" / "classifier"))
    seed = tf.constant([3, 4])
    first = model.backbone(inputs, only_pooled=True, pool=False)["pooled_output"]
    np.testing.assert_allclose(model.backbone.pooler(first), model.backbone(inputs)["pooled_output"], atol=1e-6)
    found = model.pooled_of(inputs, training=True, seed=seed)
    np.testing.assert_array_equal(found, model.pooled({"pooled_output": first}, training=True, seed=seed))
    assert np.abs(np.asarray(found) - np.asarray(model.backbone(inputs)["pooled_output"])).max() > 1e-3


@pytest.mark.parametrize("member", ["mpnet", "roberta"])
def test_more_positions_repeat_those_of_the_texts_alone(golden, member):
    few, many = (
        bert_tf.BertBackbone.from_pretrained(golden / member / "backbone", **options)
        for options in ({}, {"max_positions": 30})
    )
    assert few.config.max_positions == 24  # of 26 rows, the first two of which stand for no place in a text
    table, longer = (np.asarray(weights_by_path(model)["embeddings/position/table"]) for model in (few, many))
    np.testing.assert_array_equal(longer, np.concatenate([table, table[2:8]]))


def test_distances_are_frozen_with_the_embeddings():
    from bert_tf.models.frozen import freeze

    model = bert_tf.BertTagger(config_of("mpnet"), 3)
    freeze(model, embeddings=True, blocks=2)
    assert {path for path, weight in weights_by_path(model).items() if weight.trainable} == {
        "classifier/kernel", "classifier/bias"
    }  # fmt: skip


def test_every_token_of_a_roberta_has_the_first_segment(golden):
    """Its tokenizer tells no segments, though this one's table has two rows."""
    folder = golden / "roberta" / "tagger"
    model, inputs = model_of(folder, "tagger"), inputs_of(truth_of(folder))
    assert model.config.num_segments == 2
    ones = inputs | {"segment_ids": np.ones_like(inputs["token_ids"])}
    np.testing.assert_array_equal(model(ones), model(inputs))


def test_layers_of_an_albert_keep_their_blocks_where_others_are_asked_for(golden):
    folder = golden / "albert" / "backbone"  # of layers 0, 0 and 1
    full, fewer = (bert_tf.BertBackbone.from_pretrained(folder, **options) for options in ({}, {"num_layers": 3}))
    assert full.config.block_order == fewer.config.block_order == (0, 0, 1)
    with pytest.raises(ValueError, match=r"must leave each layer its blocks. Received: blocks \[0, 1\], of the file"):
        bert_tf.BertBackbone.from_pretrained(folder, num_layers=2)
    deep = bert_tf.BertMaskedLM.from_pretrained(golden / "albert" / "masked_lm", num_layers=7)
    assert deep.backbone.config.block_order == (0,) * 7


def test_a_head_is_not_solved_for_where_layers_share(golden):
    layer = override_layer(["task=sst2", f"backbone={golden / 'albert' / 'backbone'}", "training.mode=frozen"])
    task = Classification(source=InMemory({}), text=("text",), label="label", classes=("n", "y"), sequence_length=12)
    with pytest.raises(UserError, match=r"training.mode=frozen solves heads on one more block .* which a ALBERT"):
        task.build_model(resolve([layer]))


@pytest.mark.parametrize(("separators", "said"), [(1, "BertTokenizer"), (2, "MPNetTokenizer")])
def test_words_in_pieces_are_written_as_theirs_for_a_member_whose_own_are_not(tmp_path, separators, said):
    """A RoBERTa with a WordPiece vocabulary: Transformers then reads the class that makes the same pairs."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvw"]
    model = bert_tf.BertBackbone(config_of("roberta", pad_token_id=0))
    tokenizer = bert_tf.BertTokenizer(words, pair_separators=separators)
    model.save_pretrained(tmp_path / "x", tokenizer)
    raw = json.loads((tmp_path / "x" / "tokenizer_config.json").read_text())
    assert raw["tokenizer_class"] == said
    assert raw["model_input_names"] == ["input_ids", "attention_mask"]
    again = bert_tf.BertTokenizer.from_pretrained(tmp_path / "x")
    assert (again.pairs, again.pair_separators) == (True, separators)
    assert again.encode("a b", "c") == tokenizer.encode("a b", "c")


def test_a_classifier_on_a_masked_modernbert_starts_from_its_heads_first_layer(golden, caplog):
    """As in Transformers, where both have one name; what is left over is named once."""
    folder = golden / "modernbert" / "masked_lm"
    with caplog.at_level(logging.WARNING):
        model = model_of(folder, "tagger", num_classes=3)
    theirs = load_file(folder / "model.safetensors")
    np.testing.assert_array_equal(weights_by_path(model)["pooler/dense/kernel"], theirs["head.dense.weight"].T)
    np.testing.assert_array_equal(weights_by_path(model)["pooler/norm/gamma"], theirs["head.norm.weight"])
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "has no place for them: decoder.bias" in said
    assert "has no weights for classifier/kernel, classifier/bias:" in said
    assert "head." not in said


def test_a_folder_for_long_texts_reads_all_that_it_has_positions_for(golden):
    assert length_of(model_of(golden / "modernbert" / "tagger", "tagger", max_positions=2048)) == 2048
    assert length_of(model_of(golden / "mpnet" / "tagger", "tagger", max_positions=2048)) == 512


def test_a_head_is_not_solved_on_blocks_that_do_not_end_with_a_norm(golden):
    task = Classification(source=InMemory({}), text=("text",), label="label", classes=("a", "b"), sequence_length=16)
    asked = [f"backbone={golden / 'modernbert' / 'backbone'}", "training.mode=frozen", "task=sst2"]
    with pytest.raises(UserError, match="solves heads on blocks that end with a norm, which those of a ModernBERT"):
        task.build_model(resolve([override_layer(asked)]))
