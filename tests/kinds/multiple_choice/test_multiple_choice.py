"""Multiple choice: features, loss, scores and answers; updates of training beside PyTorch's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.data import Features, InMemory, batch_arrays, choose_layout, plan_epoch, replica_batches
from bert_tf.data.batching.plan import BATCHINGS, Batching, BatchLayout
from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import MultipleChoice
from bert_tf.kinds.registry import kind_of
from bert_tf.models import BertConfig, BertMultipleChoice, weights_by_path
from bert_tf.models.base import inputs_of
from bert_tf.text import BertTokenizer
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from tests.conftest import VOCABULARY
from tests.rest_slow import rest_slow

GOLDEN = Path(__file__).parents[2] / "golden" / "multiple_choice"
TEXTS = ("good film", "a bad film", "what?", "x y z", "it, a film!", "bad")
ENDS = ("good", "bad, bad", "a b c d", "film", "x! y!", "why not", "e f g")
ROWS = [
    {"q": text, "stem": "so", "a": ENDS[i % 7], "b": ENDS[(i + 2) % 7], "c": ENDS[(2 * i + 3) % 7], "label": i % 3}
    for i, text in enumerate(TEXTS * 2)
]
LISTS = [
    {"q": row["q"], "o": [row[name] for name in ("abc", "ab", "abc")[i % 3]], "label": i % 2}
    for i, row in enumerate(ROWS)
]


def make(**changes: Any) -> MultipleChoice:
    fields = {"source": InMemory({"train": ROWS, "validation": ROWS}), "text": "q", "choices": ("a", "b", "c")}
    return MultipleChoice(**{**fields, "label": "label", "sequence_length": 16, **changes})


def kinds() -> dict[str, MultipleChoice]:
    lists = InMemory({"train": LISTS, "validation": LISTS})
    return {
        "columns": make(),
        "stem": make(stem="stem", labels=("0", "1", "2")),
        "lists": make(choices="o", source=lists),
    }


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(VOCABULARY)


@pytest.fixture
def model() -> BertMultipleChoice:
    keras.utils.set_random_seed(7)
    config = BertConfig(
        vocabulary_size=len(VOCABULARY),
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=8,
        max_positions=16,
        initializer_range=0.8,
        hidden_dropout=0.0,
        attention_dropout=0.0,
    )
    return BertMultipleChoice(config)


def batches(features: Features, batching: Batching, examples: int = 6):
    layout = choose_layout(features.lengths, examples, batching=batching)
    found = replica_batches(features, plan_epoch(features.lengths, layout, seed=1, epoch=0))
    return [{name: tf.constant(value) for name, value in block.items()} for block in found]


def test_a_choice_is_a_pair_of_the_text_and_the_choice_behind_its_stem(tokenizer):
    kind = kinds()["stem"]
    features = kind.features(tokenizer, kind.read("own", "train"))
    assert features.members is not None
    assert features.members.shape == (12, 3)
    wanted = tokenizer(["good film"] * 3, ["so good", "so a b c d", "so film"], max_length=16)
    for row, text in enumerate(features.members[0]):
        part = slice(features.splits[text], features.splits[text + 1])
        length = int(np.sum(wanted["padding_mask"][row]))
        np.testing.assert_array_equal(features.token_ids[part], wanted["token_ids"][row, :length])
        np.testing.assert_array_equal(features.segment_ids[part], wanted["segment_ids"][row, :length])


@pytest.mark.parametrize("name", rest_slow(kinds(), "stem"))
def test_packed_and_padded_batches_have_the_losses_of_each_example_alone(name, tokenizer, model):
    kind, found = kinds()[name], {}
    examples = kind.read("own", "train")
    features = kind.features(tokenizer, examples)
    for batching in BATCHINGS:
        found[batching] = {}
        for batch in batches(features, batching):
            losses = kind.per_example_loss(model(inputs_of(batch)), batch, label_smoothing=0.1)
            assert losses.shape == batch["example_weight"].shape
            index = batch["example_index"].numpy()
            found[batching] |= dict(zip(index[index >= 0].tolist(), losses.numpy()[index >= 0].tolist(), strict=True))
    assert examples.labels is not None
    for i, choices in enumerate(examples.choices):
        seconds = [text for text in examples.second_texts(i) if text]
        assert len(seconds) == len(choices)
        one = tokenizer([examples.texts[i]] * len(seconds), seconds, max_length=16)
        log_p = np.asarray(tf.nn.log_softmax(model(one)), np.float64)
        wanted = -0.9 * log_p[examples.labels[i]] - 0.1 * log_p.mean()
        for batching in BATCHINGS:
            assert found[batching][i] == pytest.approx(wanted, rel=1e-4), (batching, i)


@pytest.mark.parametrize("name", ["stem", "lists"])
def test_training_and_compute_have_one_loss(name, tokenizer, model):
    kind = kinds()[name]
    features = kind.features(tokenizer, kind.read("own", "train"))
    for batching in ("packed", "bucketed"):
        for batch in batches(features, batching):
            given = {"example_weight": batch["example_weight"], "choice_mask": batch["choice_mask"]}
            computed = model.compute(inputs_of(batch), labels=batch["labels"], **given)["loss"]
            losses = kind.per_example_loss(model(inputs_of(batch)), batch) * batch["example_weight"]
            trained = float(tf.reduce_sum(losses) / batch["loss_divisor"])
            assert float(computed) == pytest.approx(trained, rel=1e-6)
            if name == "stem":  # where all choices are there, the inputs alone say so
                assert float(model.compute(inputs_of(batch), labels=batch["labels"])["loss"]) == pytest.approx(trained)


def test_a_choice_that_is_not_there_has_no_gradient(tokenizer, model):
    kind = kinds()["lists"]
    features = kind.features(tokenizer, kind.read("own", "train"))
    (batch,) = batches(features, "padded", examples=12)
    outputs = tf.Variable(model(inputs_of(batch)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(kind.per_example_loss(outputs, batch, label_smoothing=0.1))
    gradient = tape.gradient(loss, outputs).numpy()
    there = batch["choice_mask"].numpy() != 0
    assert there.sum() == 32
    assert not gradient[~there].any()
    assert np.abs(gradient[there]).min() > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stem", "lists"])
def test_training_lowers_the_loss_under_xla_with_static_shapes(name, tokenizer, model):
    kind = kinds()[name]
    given = batches(kind.features(tokenizer, kind.read("own", "train")), "packed")
    assert len({tuple(value.shape for value in batch.values()) for batch in given}) == 1
    run = tf.function(step_of(kind, model, peak=1e-2, xla=True))
    losses = np.array([[float(run(batch)["loss"]) for batch in given] for _ in range(12)]).mean(axis=1)
    assert losses[-1] < 0.8 * losses[0], losses


def step_of(kind, model, *, peak: float, weight_decay: float = 0.0, total=100, warmup=0, **options) -> TrainStep:
    variables = {path: weight.value for path, weight in weights_by_path(model).items()}
    schedule = Schedule(peak=peak, total_steps=total, warmup_steps=warmup)
    return TrainStep(model, kind.per_example_loss, AdamW(variables, schedule, weight_decay=weight_decay), **options)


@pytest.mark.parametrize("batching", ["packed", pytest.param("padded", marks=pytest.mark.slow)])
def test_updates_are_those_of_pytorch_and_transformers(batching):
    """As benchmarks/make_golden_multiple_choice.py stored them."""
    with np.load(GOLDEN / "training.npz") as file:
        golden = {name: file[name] for name in file if name != "given"} | json.loads(str(file["given"]))
    off = {"hidden_dropout": 0.0, "attention_dropout": 0.0, "dropout": 0.0}
    model, settings = BertMultipleChoice.from_pretrained(GOLDEN, **off), golden["settings"]
    rates = {"peak": settings["peak"], "total": settings["total_steps"], "warmup": settings["warmup_steps"]}
    options = {"weight_decay": settings["weight_decay"], "clip_norm": settings["clip_norm"]}
    run = tf.function(step_of(make(), model, **rates, **options), reduce_retracing=True)
    layout = BatchLayout(batching, *((3, 48, 3, 4) if batching == "packed" else (4, 32, 1, 4)))
    losses, norms = [], []
    for examples in golden["batches"]:
        features = features_of([golden["texts"][e] for e in examples], [golden["labels"][e] for e in examples])
        plan = plan_epoch(features.lengths, layout, seed=1, epoch=0)
        assert plan.number_of_batches == 1
        batch = batch_arrays(features, plan, 0) | {"loss_divisor": np.float32(len(examples))}
        report = run({name: tf.constant(value) for name, value in batch.items()})
        losses.append(float(report["loss"]))
        norms.append(float(report["gradient_norm"]))
    assert golden["loss"][-5:].mean() < 0.5 * golden["loss"][:5].mean()  # it is training
    assert golden["norm"].max() > settings["clip_norm"] > golden["norm"].min()  # some are clipped, some are not
    np.testing.assert_allclose(losses, golden["loss"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(norms, golden["norm"], rtol=1e-4, atol=1e-4)
    features = features_of(golden["texts"], golden["labels"])
    (batch,) = batches(features, "padded", examples=len(golden["texts"]))
    logits = np.asarray(model(inputs_of(batch)))[np.argsort(batch["example_index"])]
    # The classifier's bias has no part in a softmax: its gradient is 0 but for rounding, which Adam blows up.
    found, wanted = (x - x.mean(axis=1, keepdims=True) for x in (logits, golden["logits"]))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def features_of(texts: list[list[dict[str, list[int]]]], labels: list[int]) -> Features:
    rows = [row for choices in texts for row in choices]
    return Features(
        token_ids=np.concatenate([row["ids"] for row in rows]).astype(np.int32),
        segment_ids=np.concatenate([row["segments"] for row in rows]).astype(np.int8),
        splits=np.cumsum([0, *(len(row["ids"]) for row in rows)]),
        members=np.arange(len(rows)).reshape(len(texts), -1),
        labels=np.asarray(labels, np.int32),
        example_fields={"choice_mask": np.ones((len(texts), len(texts[0])), np.int32)},
    )


@pytest.mark.parametrize("name", rest_slow(kinds(), "lists"))
def test_the_scorer_and_raw_texts_give_the_same_metrics_and_probabilities(name, tokenizer, model):
    kind = kinds()[name]
    examples = kind.read("own", "validation")
    features = kind.features(tokenizer, examples)
    scores = kind.scorer(model, tokenizer, features, examples, batch_examples=4)()
    pipeline = Pipeline.of(kind, model, tokenizer, batch_examples=5)
    answers = pipeline.rows(*examples.columns)
    assert kind.measure_answers(answers, examples) == scores
    assert 0 < scores["accuracy"] < 1
    for i, (answer, choices) in enumerate(zip(answers, examples.choices, strict=True)):
        one = tokenizer([examples.texts[i]] * len(choices), examples.second_texts(i), max_length=16)
        logits = np.asarray(model(one))
        np.testing.assert_allclose(answer["probabilities"][: len(choices)], tf.nn.softmax(logits), atol=1e-6)
        assert not answer["probabilities"][len(choices) :].any()
        assert answer["choice"].decode() == choices[int(np.argmax(logits))]


def test_answers_as_predict_prints_them(tokenizer, model):
    stem = Pipeline.of(kinds()["stem"], model, tokenizer)
    row = {"q": "good film", "stem": "so", "a": "bad, bad", "b": "x! y!", "c": "film"}
    found = stem(row)
    assert list(found) == ["text", "stem", "choices", "choice", "choice_index", "label", "score", "probabilities"]
    best = int(np.argmax(found["probabilities"]))
    assert (found["choice"], found["choice_index"], found["label"]) == (found["choices"][best], best, str(best))
    assert found["score"] == found["probabilities"][best]
    assert sum(found["probabilities"]) == pytest.approx(1.0, abs=1e-6)
    assert stem([row, row]) == [found, found]
    assert Pipeline.of(make(), model, tokenizer)({name: row[name] for name in ("q", "a", "b", "c")})["label"] in "abc"
    with pytest.raises(ValueError, match=r"`texts\[0\]` must be a dict with 'q', 'stem', 'a', 'b', 'c'"):
        stem({"q": "good film"})


def test_an_empty_choice_gets_no_probability(tokenizer, model):
    pipeline = Pipeline.of(make(least_choices=2), model, tokenizer)
    found = pipeline([{"q": "x", "a": "good", "b": " ", "c": "bad"}, {"q": "x", "a": "", "b": "", "c": ""}])
    assert found[0]["probabilities"][1] == 0.0
    assert sum(found[0]["probabilities"]) == pytest.approx(1.0, abs=1e-6)
    two = pipeline({"q": "x", "a": "good", "b": "bad", "c": ""})
    assert found[0]["probabilities"][::2] == pytest.approx(two["probabilities"][:2], abs=1e-6)
    assert found[1]["probabilities"] == [0.0, 0.0, 0.0]


# A folder that says no task.


def test_a_folder_answers_for_any_number_of_choices(tokenizer, model, tmp_path):
    model.save_pretrained(tmp_path, tokenizer)
    kind, found = kind_of(tmp_path)
    assert (kind.text_columns, type(found), kind.sequence_length) == (("text", "choices"), BertMultipleChoice, 16)
    pipeline = Pipeline(tmp_path)
    two, four = ["good", "bad"], ("x", "good, good", "film", "a\nb")
    answers = pipeline([{"text": "a film", "choices": two}, {"text": "a film", "choices": four}])
    assert answers[1]["choices"] == ["x", "good, good", "film", "a b"]
    for answer, choices in zip(answers, (two, four), strict=True):
        logits = model(tokenizer(["a film"] * len(choices), list(choices), max_length=16))
        np.testing.assert_allclose(answer["probabilities"], tf.nn.softmax(logits), atol=1e-6)
        assert "label" not in answer
    for one in (pipeline({"text": "a film", "choices": two}), pipeline("a film", "good\nbad")):
        assert one["probabilities"] == pytest.approx(answers[0]["probabilities"], abs=1e-6)
        assert one["choice"] == answers[0]["choice"]
    for wrong, message in ((["good"], "2 choices or more. Received: 1"), ([1, 2], "choices that are texts")):
        with pytest.raises(ValueError, match=rf"`texts\[0\]`, 'choices': expected {message}"):
            pipeline({"text": "a film", "choices": wrong})
    with pytest.raises(ValueError, match=r"`texts\[0\]`, 'text': expected text. Received: \['a'\]"):
        pipeline({"text": ["a"], "choices": two})


def test_a_folder_of_transformers_answers(tmp_path):
    for file in GOLDEN.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    words = [*("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), *"abcdefg"]
    (tmp_path / "vocab.txt").write_text("".join(f"{word}\n" for word in words))
    found = Pipeline(tmp_path)({"text": "a b", "choices": ["c", "d e", "f"]})
    model = BertMultipleChoice.from_pretrained(GOLDEN)
    rows = {"token_ids": [[2, 5, 6, 3, 7, 3, 0], [2, 5, 6, 3, 8, 9, 3], [2, 5, 6, 3, 10, 3, 0]]}
    ids = np.array(rows["token_ids"])
    inputs = {"token_ids": ids, "segment_ids": (np.arange(7) > 3) * (ids > 0), "padding_mask": (ids > 0) * 1}
    np.testing.assert_allclose(found["probabilities"], tf.nn.softmax(model(inputs)), atol=1e-6)


# Trained, scored and used, by the commands.


@pytest.mark.slow
def test_the_commands(tokenizer, model, tmp_path, capsys):
    from bert_tf import evaluate, predict, train

    backbone, data, run = tmp_path / "backbone", tmp_path / "data", tmp_path / "run"
    model.backbone.save_pretrained(backbone, tokenizer)
    data.mkdir()
    lines = [{"q": row["q"], "o": row["o"], "label": row["label"]} for row in LISTS]
    for name in ("train.jsonl", "dev.jsonl"):
        (data / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    task = tmp_path / "task.py"
    task.write_text(
        "from bert_tf.data import JsonLines\nfrom bert_tf.kinds import MultipleChoice\n"
        'TASK = MultipleChoice(source=JsonLines(files={"train": "train.jsonl", "validation": "dev.jsonl"}),\n'
        '    text="q", choices="o", label="label", sequence_length=16)\n'
    )
    train.main([f"--task={task}", f"--data={data}", f"--backbone={backbone}", f"--run={run}",
                "--set", "training.max_steps=3", "training.batch_examples=4"])  # fmt: skip
    result = json.loads(capsys.readouterr().out)
    task.unlink()  # the run folder says what the task is
    evaluate.main([f"--run={run}"])
    assert json.loads(capsys.readouterr().out)["metrics"] == result["metrics"]
    predict.main([f"--run={run}", f"--input={data / 'dev.jsonl'}"])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    right = [answer["choice_index"] == row["label"] for answer, row in zip(answers, LISTS, strict=True)]
    assert np.mean(right) == pytest.approx(result["metrics"]["accuracy"])
    assert answers[0]["label"] == LISTS[0]["label"], "the row's other columns come back"
    status = predict.main([f"--run={run}", "--text", 'good film\t["good", "bad"]', "--text", "good film\tgood"])
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (status, first["choices"]) == (3, ["good", "bad"])
    assert second["error"].endswith("column 'o': expected a list of choices. Received: 'good'")
    config = json.loads((run / "model" / "config.json").read_text())
    assert config["architectures"] == ["BertForMultipleChoice"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"choices": ("a",)}, "`choices` must be two columns or more, or one, as a str"),
        ({"choices": ("a", "a")}, "must be different columns. Received: .'q', 'a', 'a', 'label'."),
        ({"stem": "q"}, "must be different columns"),
        ({"labels": ("A", "B")}, "`labels` must be 3 different names. Received: labels=.'A', 'B'."),
        ({"choices": "o", "labels": "AB"}, "`labels` must be two different names or more. Received: labels='AB'"),
        ({"least_choices": 4}, "`least_choices` must be from 2 to the number of choices. Received: least_choices=4"),
        ({"least_choices": 1}, "Received: least_choices=1"),
        ({"metrics": ("pearson",)}, "`metrics` must be of classes"),
        ({"metrics": ("f1",)}, "'f1' is of two classes"),
        ({"metrics": ()}, "`metrics` must be a tuple of one name or more"),
        ({"sequence_length": 3}, "`sequence_length` must be 4 or more. Received: sequence_length=3"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)


def test_places_have_no_weights_of_classes():
    with pytest.raises(UserError, match=r"'training\.class_weights' is for tasks with classes"):
        make().class_weights("balanced", make().read("own", "train"))
