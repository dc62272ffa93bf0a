from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.data import InMemory, Tsv, batch_arrays, choose_layout, plan_epoch, replica_batches
from bert_tf.data.batching.plan import Batching
from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import TextPairs, TextToText
from bert_tf.kinds.text_to_text.features import sources
from bert_tf.models import BertConfig, BertSeq2Seq, Generation
from bert_tf.models.base import inputs_of
from bert_tf.sentinels import IGNORED_LABEL
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

PAIRS = TextPairs(texts=["good film", "bad", "a b c d e f g h"], references=[("good",), ("b a d",), ("h", "g")])


def make(**changes) -> TextToText:
    fields = {"source": InMemory({}), "text": "said", "target": "short", "metrics": ("rouge1", "bleu")}
    return TextToText(**{**fields, "sequence_length": 16, "target_length": 6, **changes})


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(VOCABULARY)


@pytest.fixture(scope="module")
def model() -> BertSeq2Seq:
    import keras

    keras.utils.set_random_seed(2)
    config = BertConfig(
        vocabulary_size=len(VOCABULARY),
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=8,
        max_positions=32,
        initializer_range=0.5,
    )
    return BertSeq2Seq(config)


def words(ids) -> list[str]:
    return ["-" if i == IGNORED_LABEL else VOCABULARY[i] for i in ids]


def test_rows_of_source_and_target(tokenizer):
    features = make().features(tokenizer, PAIRS)
    rows = [slice(*features.splits[e : e + 2]) for e in range(3)]
    assert words(features.token_ids[rows[0]]) == ["[CLS]", "good", "film", "[SEP]", "good", "[SEP]"]
    assert features.segment_ids[rows[0]].tolist() == [0, 0, 0, 0, 1, 1]
    targets = features.token_fields["target_ids"]
    assert words(targets[rows[0]]) == ["-", "-", "-", "good", "[SEP]", "-"]
    assert words(targets[rows[1]]) == ["-", "-", "b", "a", "d", "[SEP]", "-"]
    assert features.loss_terms is not None
    assert features.loss_terms.tolist() == [2, 4, 2]


def test_long_sources_and_targets_are_cut(tokenizer):
    examples = TextPairs(texts=["a " * 50], references=[("b " * 50,)])
    features = make().features(tokenizer, examples)
    assert words(features.token_ids) == ["[CLS]", *"a" * 8, "[SEP]", *"b" * 5, "[SEP]"]
    shorter = make().features(tokenizer, examples, sequence_length=9)
    assert words(shorter.token_ids) == ["[CLS]", "a", "[SEP]", *"b" * 5, "[SEP]"]
    with pytest.raises(UserError, match=r"'data\.sequence_length' must be at least 9, of which 6 .* Received: 8"):
        make().features(tokenizer, examples, sequence_length=8)


@pytest.mark.parametrize("batching", ["packed", "bucketed"])
def test_loss_is_the_sum_over_an_examples_targets(batching, tokenizer, model):
    features = make().features(tokenizer, PAIRS)
    layout = choose_layout(features.lengths, 3, batching=batching, pack_length=32 if batching == "packed" else None)
    batch = batch_arrays(features, plan_epoch(features.lengths, layout, seed=0, epoch=0, shuffle=False), 0)
    tensors = {name: tf.constant(value) for name, value in batch.items()}

    def losses(batch, smoothing):
        return make().per_example_loss(model(inputs_of(batch)), batch, label_smoothing=smoothing)

    compiled = tf.function(losses, jit_compile=True)
    for smoothing in (0.0, 0.2):
        found = losses(tensors, smoothing)
        assert found.shape == batch["example_weight"].shape
        np.testing.assert_allclose(compiled(tensors, smoothing), found, rtol=1e-4)
        for place in np.ndindex(*batch["example_index"].shape):
            e = batch["example_index"][place]
            if e < 0:
                assert found[place] == 0.0
                continue
            row = slice(*features.splits[e : e + 2])
            ids, segments = features.token_ids[row][None], features.segment_ids[row][None].astype("int32")
            log_p = tf.nn.log_softmax(model({"token_ids": ids, "segment_ids": segments})).numpy()[0]
            targets = features.token_fields["target_ids"][row]
            at = np.flatnonzero(targets != IGNORED_LABEL)
            hard, soft = -log_p[at, targets[at]].sum(), -log_p[at].mean(-1).sum()
            np.testing.assert_allclose(found[place], (1 - smoothing) * hard + smoothing * soft, rtol=1e-4)


def test_answers_are_those_of_the_commands_settings(tokenizer, model):
    kind = make(generation=Generation(beams=3, no_repeat_ngram=2))
    answer = kind.answer_function(model, tokenizer)
    texts = ["good film", "", "a " * 100]
    found = answer(tf.constant(texts))
    assert found["generated"].shape == found["score"].shape == (3,)
    for i, text in enumerate(texts):  # alone as among others
        alone = answer(tf.constant([text]))
        assert alone["generated"][0] == found["generated"][i]
        np.testing.assert_allclose(alone["score"][0], found["score"][i], rtol=1e-5)
    inputs = tokenizer(texts, max_length=10)
    written = model.generate(
        {name: inputs[name] for name in ("token_ids", "padding_mask")},
        Generation(beams=3, no_repeat_ngram=2, max_length=6),
        end_id=tokenizer.sep_id,
        never=[tokenizer.token_to_id[token] for token in ("[PAD]", "[UNK]", "[CLS]", "[MASK]")],
    )
    assert [text.decode() for text in found["generated"].numpy()] == tokenizer.decode(written["token_ids"])
    row = {name: value.numpy()[0] for name, value in found.items()}
    assert kind.to_json("good film", None, row) == {
        "text": "good film",
        "generated": row["generated"].decode(),
        "score": float(row["score"]),
    }


def test_scores_while_training_are_those_of_greedy_answers(tokenizer, model):
    kind = make(evaluation_examples=2)
    features = kind.features(tokenizer, PAIRS)
    score = kind.scorer(model, tokenizer, features, PAIRS, batch_examples=1)
    answers = kind.answer_function(model, tokenizer)(tf.constant(PAIRS.texts[:2]))
    first = TextPairs(texts=PAIRS.texts[:2], references=list(PAIRS.references or ())[:2])
    expected = kind.measure_answers([{"generated": text} for text in answers["generated"].numpy()], first)
    assert score() == expected
    before = model.masked_lm.bias.numpy()
    model.masked_lm.bias.assign(np.where(np.array(VOCABULARY) == "good", 50.0, before))
    assert score() != expected  # the model as it stands then
    model.masked_lm.bias.assign(before)


def test_sources_come_back_out_of_the_rows(tokenizer):
    features = make().features(tokenizer, PAIRS)
    order, batches = sources(features, 3, 2)
    assert order.tolist() == [2, 0, 1]
    assert [batch["token_ids"].shape for batch in batches] == [(2, 10), (1, 3)]
    assert words(batches[0]["token_ids"][1]) == ["[CLS]", "good", "film", "[SEP]", *["[PAD]"] * 6]
    assert batches[0]["padding_mask"].sum(1).tolist() == [10, 4]


def test_rewrites_put_back_what_the_tokenizer_forgets(tokenizer, model):
    never_ends = make(rewrites=((r"(\w) (\w)", r"\1-\2"), (r"^", "> ")))
    plain = make().answer_function(model, tokenizer)(tf.constant(["good film"]))["generated"][0].numpy()
    found = never_ends.answer_function(model, tokenizer)(tf.constant(["good film"]))["generated"][0].numpy()
    assert found == tf.strings.regex_replace(tf.strings.regex_replace(plain, r"(\w) (\w)", r"\1-\2"), "^", "> ").numpy()
    assert found.startswith(b"> ")


def test_metrics_and_baselines():
    kind = make(simple_answers={"itself": lambda text: text, "nothing": lambda text: ""})
    examples = TextPairs(texts=["a b c d", "x"], references=[("a b c d",), ("y",)])
    # 4 of 5 words and all longer n-grams are right, and nothing is too short.
    assert kind.baselines(examples)["itself"] == pytest.approx({"rouge1": 50.0, "bleu": 100 * 0.8**0.25})
    assert kind.baselines(examples)["nothing"] == {"rouge1": 0.0, "bleu": 0.0}
    answers = [{"generated": b"a b c d"}, {"generated": b"x"}]
    assert kind.measure_answers(answers, examples) == kind.baselines(examples)["itself"]


def test_one_reference_or_several():
    train = [{"said": "x", "short": "y"}]
    test = [{"said": "x", "short1": "y", "short2": "z"}]
    kind = make(
        source=InMemory({"train": train, "test": test, "new": [{"said": "x"}]}), references=("short1", "short2")
    )
    assert kind.read("own", "train").references == [("y",)]
    assert kind.read("own", "test").references == [("y", "z")]
    assert not kind.read("own", "new").is_labelled
    with pytest.raises(UserError, match="short"):
        make(source=InMemory({"train": [{"said": "x"}]})).read("own", "train")


def test_one_column_files_and_empty_sources_are_named(tmp_path):
    kind = make(source=Tsv(files={"train": "train.tsv"}, columns=("said", "short"), header=False))
    for line, expected in (("only one", "expected 2 columns"), ("\tb", "expected text that is not empty")):
        (tmp_path / "train.tsv").write_text(f"a\tb\n{line}\n")
        with pytest.raises(UserError, match=rf"train\.tsv:2: .*{expected}"):
            kind.read(str(tmp_path), "train")


def test_the_sample_reads_through_the_task():
    from bert_tf import load_task

    kind = load_task("multi30k_ende")
    train, validation = kind.read("sample", "train"), kind.read("sample", "validation")
    assert (len(train), len(validation), train.is_sample) == (42, 16, True)
    assert isinstance(train, TextPairs)
    assert train.references is not None
    assert train.references[0] == ("Ein Bäcker hebt ein Blech mit Brötchen aus dem Ofen.",)
    texts = [*train.texts, *validation.texts]
    assert len(set(texts)) == len(texts)


def test_a_model_of_a_run(tiny_model):
    config = RunConfig.model_validate({"task": "x", "backbone": str(tiny_model)})
    model = make().build_model(config)
    assert isinstance(model, BertSeq2Seq)
    assert not make().trims_vocabulary
    assert make().greater_is_better


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metrics": ("rouge9",)}, r"`metrics` must be a tuple of rouge1, .* Received: metrics=\('rouge9',\)"),
        ({"metrics": "bleu"}, "`metrics` must be a tuple"),
        ({"target_length": 14}, "`target_length` must be at least 2, .*target_length=14, sequence_length=16"),
        ({"evaluation_examples": 0}, "`evaluation_examples` must be 1 or more"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)


@pytest.mark.slow
def test_training_steps_compile_with_xla_and_packing_changes_nothing(tokenizer, model):
    """One update each: packed rows, the same compiled by XLA, and rows of one example."""
    from bert_tf.models import weights_by_path
    from bert_tf.training.optimizers.adamw import AdamW
    from bert_tf.training.optimizers.schedule import Schedule
    from bert_tf.training.step import TrainStep

    kind = make()
    features = kind.features(tokenizer, PAIRS)
    config = model.config.replace(hidden_dropout=0.0, attention_dropout=0.0)
    found = []
    ways: list[tuple[Batching, bool]] = [("packed", False), ("packed", True), ("padded", False)]
    for batching, xla in ways:
        copy = BertSeq2Seq(config)
        for path, weight in weights_by_path(copy).items():
            weight.assign(weights_by_path(model)[path].numpy())
        variables = {path: weight.value for path, weight in weights_by_path(copy).items() if weight.trainable}
        assert "pooler/dense/kernel" not in variables
        optimizer = AdamW(variables, Schedule(peak=0.01, total_steps=9, shape="constant"))
        step = TrainStep(copy, lambda *a: kind.per_example_loss(*a, label_smoothing=0.1), optimizer, xla=xla)
        layout = choose_layout(features.lengths, 3, batching=batching, pack_length=32 if batching == "packed" else None)
        plan = plan_epoch(features.lengths, layout, seed=0, epoch=0)
        assert plan.number_of_batches == 1
        block = next(iter(replica_batches(features, plan)))
        assert block["loss_divisor"] == 8.0
        report = tf.function(step)({name: tf.constant(value) for name, value in block.items()})
        found.append((float(report["loss"]), float(report["gradient_norm"])))
    np.testing.assert_allclose(found[1:], found[:1] * 2, rtol=1e-4)


def test_answers_in_low_precision_come_from_short_weights(model, tokenizer, tmp_path):
    model.save_pretrained(tmp_path, tokenizer)
    by_task, whole = (make().load_model(str(tmp_path), dtype=dtype) for dtype in ("mixed_bfloat16", "float32"))
    pipeline = Pipeline(tmp_path, precision="mixed_bfloat16")
    assert by_task.dtype_policy.name == pipeline.precision == "bfloat16"
    assert {weight.dtype for weight in by_task.backbone.trainable_weights} == {"bfloat16"}
    assert whole.dtype_policy.name == "float32"
    inputs = tokenizer(["good film", "bad"], max_length=8)
    short, exact = (np.asarray(one(inputs), np.float32) for one in (by_task, whole))
    np.testing.assert_allclose(short, exact, atol=0.15)
