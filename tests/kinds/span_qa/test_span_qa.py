from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from bert_tf import load_task
from bert_tf.config import RunConfig
from bert_tf.data import Csv, InMemory, JsonLines, SpanAnswer, batch_arrays, choose_layout, plan_epoch
from bert_tf.errors import UserError
from bert_tf.kinds import SpanExamples
from bert_tf.models import BertSpanQA
from bert_tf.models.base import inputs_of
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY
from tests.kinds.span_qa.span_sets import TOKENIZER, examples, make, tiny_model

GIVEN = examples(
    [(SpanAnswer("Good", 2),), (SpanAnswer("h i", 18),), (SpanAnswer("bad", 0),), (SpanAnswer("film", 5),)]
)


@pytest.fixture(name="model", scope="module")
def model_fixture():
    return tiny_model()


def losses(kind, model, batch, smoothing=0.0):
    return kind.per_example_loss(model(inputs_of(batch)), batch, label_smoothing=smoothing)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_packed_losses_are_those_of_the_windows_alone(model, smoothing):
    kind = make()
    features = kind.features(TOKENIZER, GIVEN)
    assert len(features) > len(GIVEN)
    alone, packed = np.zeros(len(features)), np.zeros(len(features))
    bucketed_layout = choose_layout(features.lengths, 3, batching="bucketed")
    packed_layout = choose_layout(features.lengths, 3, pack_length=30)
    for layout, found in ((bucketed_layout, alone), (packed_layout, packed)):
        plan = plan_epoch(features.lengths, layout, seed=0, epoch=0)
        for k in range(plan.number_of_batches):
            batch = batch_arrays(features, plan, k)
            loss = losses(kind, model, {name: tf.constant(value) for name, value in batch.items()}, smoothing)
            assert loss.shape == batch["example_weight"].shape
            used = batch["example_index"] >= 0
            found[batch["example_index"][used]] = loss.numpy()[used]
    np.testing.assert_allclose(packed, alone, rtol=1e-5)
    one = {
        "token_ids": features.token_ids[None, : features.splits[1]],
        "segment_ids": features.segment_ids[None, : features.splits[1]],
    }
    one = {name: values.astype(np.int32) for name, values in one.items()}
    places = np.array([[features.position_fields[name][0] for name in ("first_token", "last_token")]])
    if not smoothing:
        assert float(model.compute(one, labels=places)["loss"]) == pytest.approx(alone[0], rel=1e-5)


def test_loss_compiles_with_xla_at_static_shapes(model):
    kind = make()
    features = kind.features(TOKENIZER, GIVEN)
    layout = choose_layout(features.lengths, 4, pack_length=30)
    batch = batch_arrays(features, plan_epoch(features.lengths, layout, seed=0, epoch=0), 0)
    weights = [weight.value for weight in model.trainable_variables if "pooler" not in weight.path]

    def step(batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(losses(kind, model, batch) * batch["example_weight"])
        return loss, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, weights)]

    tensors = {name: tf.constant(values) for name, values in batch.items()}
    expected_loss, expected = step(tensors)
    loss, gradients = tf.function(step, jit_compile=True)(tensors)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    for mine, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metrics": "f1"}, "`metrics` must be a tuple of exact_match, f1; .*metrics='f1'"),
        ({"metrics": ()}, "`metrics` must be a tuple"),
        ({"metrics": ("f1", "no_answer_f1")}, r"exact_match, f1; .*no_answer=False"),
        ({"metrics": ("best_f1_threshold",), "no_answer": True}, "the first is one of f1, exact_match, best_f1"),
        ({"sequence_length": 4}, "`sequence_length` must be 5 or more. Received: sequence_length=4"),
        ({"stride": -1}, "`stride` must be 0 or more"),
        ({"answer_tokens": 0}, "`answer_tokens` must be 1 or more"),
        ({"n_best": 0}, "`n_best` must be 1 or more"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)


def test_a_length_that_leaves_no_room():
    with pytest.raises(UserError, match=r"'data.sequence_length' must be 5 or more for this task. Received: 4"):
        make().features(TOKENIZER, GIVEN, sequence_length=4)
    assert len(make().features(TOKENIZER, GIVEN, sequence_length=5)) > 20


ROW = {"id": "q1", "question": "Who?", "context": "Zoë sang.", "answers": [{"text": "Zoë", "answer_start": 0}]}


def test_an_answer_that_is_not_in_the_context_is_named_or_skipped(caplog):
    rows = [ROW, ROW | {"id": "q2", "answers": [{"text": "wept", "answer_start": 4}]}]
    kind = make(source=InMemory({"train": rows, "bad": rows[1:], "validation": rows}, bad_rows_share=0.5))
    reason = (
        r"train\[1\]: question 'q2': expected the answer 'wept' at character 4 .* 'sang' there; .* not in the context"
    )
    with pytest.raises(UserError, match=reason):
        kind.read("own", "train")
    read = kind.read("own", "train", skip_bad_rows=True)
    assert (list(read.texts), read.pairs, read.bad_rows) == (["Who?"], ["Zoë sang."], 1)
    assert read.answers == [(SpanAnswer("Zoë", 0),)]
    assert "question 'q2'" in caplog.text
    assert read.bad_row_reasons == {"expected each answer at its place in the context": 1}
    only = make(source=InMemory({"train": rows[1:]}))
    with pytest.raises(UserError, match=r"train\[0\]: question 'q2'"):
        only.read("own", "train", skip_bad_rows=True)
    with pytest.raises(UserError, match=r"at most 1 % of the rows .*Received: 1 of 2 \(50.00 %\)"):
        make(source=InMemory({"train": rows})).read("own", "train", skip_bad_rows=True)


def test_misplaced_answers_are_put_right_and_counted(caplog):
    rows = [ROW, ROW | {"id": "q2", "answers": [{"text": "sang", "answer_start": 2}]}]
    rows += [ROW | {"id": "q3", "answers": {"text": ["Zoë"], "answer_start": [-1]}}]
    read = make(source=InMemory({"train": rows})).read("own", "train")
    assert read.answers == [(SpanAnswer("Zoë", 0),), (SpanAnswer("sang", 4),), (SpanAnswer("Zoë", 0),)]
    assert "answers moved to their place: 1 was off by 2 characters or fewer, 1 stands once" in caplog.text
    assert "train[1]: question 'q2'" in caplog.text


def test_no_question_that_is_scored_is_left_out_for_places():
    """CMRC's dev set has places of -1; references may be misplaced, or in no context at all (TriviaQA)."""
    answers: list = [[{"text": "Zoë", "answer_start": -1}], ["wept"], "sang", [{"text": "a", "answer_start": 99}]]
    rows = [ROW | {"answers": answer} for answer in answers]
    for split in ("validation", "test"):
        for skip in (False, True):
            kind = make(source=InMemory({split: rows}))
            read = kind.read("own", split, skip_bad_rows=skip)
            assert [[one.text for one in given] for given in read.answers or ()] == [["Zoë"], ["wept"], ["sang"], ["a"]]
            assert read.bad_rows == 0
            assert len(kind.features(TOKENIZER, read)) >= 4
            scores = kind._metrics([0, 0, 4, 0], [3, 3, 8, 3], None, read)
            assert scores == {"f1": 0.5, "exact_match": 0.5}


def test_unanswerable_questions_that_contradict_themselves():
    blank = [{"text": "", "answer_start": 0}]
    rows = [ROW | {"answers": [], "is_impossible": False}, ROW | {"is_impossible": True}]
    rows += [ROW | {"answers": blank, "is_impossible": True}, ROW | {"answers": [], "is_impossible": None}]
    for row, split, expected in (
        (0, "train", r"question 'q1': expected an answer where 'is_impossible' is false. Received: none"),
        (1, "train", r"expected no answers where 'is_impossible'. Received: 'Zoë'"),
        (1, "validation", r"expected no answers where 'is_impossible'. Received: 'Zoë'"),
    ):
        with pytest.raises(UserError, match=expected):
            make(source=InMemory({split: [rows[row]]}), no_answer=True).read("own", split)
    for row, split in ((0, "validation"), (2, "train"), (3, "train")):
        assert make(source=InMemory({split: [rows[row]]}), no_answer=True).read("own", split).answers == [()]
    empty = ROW | {"answers": [], "context": "", "is_impossible": True}
    read = make(source=InMemory({"train": [empty]}), no_answer=True).read("own", "train")
    assert (read.pairs, len(make().features(TOKENIZER, read))) == ([""], 1)


def test_a_score_of_questions_that_a_split_lacks_is_undefined():
    rows = [ROW, ROW | {"answers": []}]
    metrics = ("f1", "has_answer_f1", "no_answer_f1")
    for given, absent in ((rows[:1], "no_answer_f1"), (rows[1:], "has_answer_f1")):
        kind = make(source=InMemory({"validation": given}), no_answer=True, metrics=metrics)
        found = kind._metrics([0], [3], [-1.0], kind.read("own", "validation"))
        assert [name for name in metrics if getattr(found[name], "reason", "")] == [absent]


def test_a_column_of_one_answer_with_its_place_or_without(caplog):
    row = {"question": "Who?", "context": "Zoë and Zoë.", "answer": "Zoë", "answer_start": "8"}
    read = make(source=InMemory({"train": [row]})).read("own", "train")
    assert read.answers == [(SpanAnswer("Zoë", 8),)]
    assert "has no column 'answers': answers are those of 'answer'" in caplog.text
    caplog.clear()
    named = make(source=InMemory({"train": [row | {"context": "Zoë."}]}), answers="answer").read("own", "train")
    assert named.answers == [(SpanAnswer("Zoë", 0),)]
    assert "has no column" not in caplog.text
    del row["answer_start"]
    with pytest.raises(UserError, match=r"train\[0\]: .* the answer stands 2 times in the context"):
        make(source=InMemory({"train": [row]})).read("own", "train")
    with pytest.raises(UserError, match=r"train\[0\]: expected the column 'answers'"):
        make(source=InMemory({"train": [{"question": "Who?", "context": "Zoë."}]})).read("own", "train")


def test_a_csv_file_with_a_dict_in_a_cell(tmp_path):
    path = tmp_path / "train.csv"
    rows = [
        "{'text': ['Zoë'], 'answer_start': [0]}",
        "{'text': array(['sang'], dtype=object), 'answer_start': array([4])}",
    ]
    path.write_text(
        "id,question,context,answers\n" + "".join(f'{i},Who?,Zoë sang.,"{c}"\n' for i, c in enumerate(rows))
    )
    kind = make(source=Csv(files={"train": "train.csv"}))
    assert kind.read(str(tmp_path), "train").answers == [(SpanAnswer("Zoë", 0),), (SpanAnswer("sang", 4),)]


def test_places_within_answers_are_no_column(tmp_path, caplog):
    row = {"question": "Who?", "context": "Zoë and Zoë.", "answers": {"text": ["Zoë"], "answer_start": [8]}}
    (tmp_path / "train.jsonl").write_text(json.dumps(row) + "\n")
    kind = make(source=JsonLines(files={"train": "train.jsonl"}))
    assert kind.read(str(tmp_path), "train").answers == [(SpanAnswer("Zoë", 8),)]
    assert not caplog.text


def test_chinese_is_scored_by_its_rules_and_not_by_others():
    rows = [
        {"question": "他是谁？", "context": "范廷颂是越南的枢机。", "answers": [{"text": "越南", "answer_start": -1}]}
    ]
    source = InMemory({"train": rows, "validation": rows})
    for split in ("train", "validation"):
        with pytest.raises(UserError, match=rf"{split}: .* language='en' fit. .*: language='zh' in the task"):
            make(source=source).read("own", split)
    kind = make(source=source, language="zh-Hans")
    read = kind.read("own", "validation")
    assert kind._metrics([4], [7], None, read) == {"f1": pytest.approx(0.8), "exact_match": 0.0}
    with pytest.raises(ValueError, match=r"`language` must be a code .* Did you mean 'zh'"):
        make(language="chinese")


def test_questions_without_answers_are_for_tasks_that_have_them():
    source = InMemory({"train": [ROW | {"answers": []}], "test": [{"question": "Who?", "context": "Zoë."}]})
    with pytest.raises(UserError, match=r"train\[0\]: question 'q1': expected an answer at least"):
        make(source=source).read("own", "train")
    read = make(source=source, no_answer=True).read("own", "train")
    assert (read.answers, read.is_labelled) == ([()], True)
    test = make(source=source).read("own", "test")
    assert not test.is_labelled
    assert not make().features(TOKENIZER, test).position_fields


@pytest.mark.parametrize(("task", "counts"), [("squad", (48, 24)), ("squad_v2", (60, 30))])
def test_the_samples_read_through_their_tasks(task, counts):
    kind = load_task(task)
    train, dev = kind.read("sample", "train"), kind.read("sample", "validation")
    assert isinstance(dev, SpanExamples)
    assert (len(train), len(dev), train.is_sample) == (*counts, True)
    assert dev.answers is not None
    assert sum(not answers for answers in dev.answers) == (6 if task == "squad_v2" else 0)
    assert not set(train.pairs or ()) & set(dev.pairs or ())


def test_a_model_of_a_run(tmp_path):
    tiny_model().save_pretrained(tmp_path, BertTokenizer(VOCABULARY))
    run = {"task": "x", "backbone": str(tmp_path), "training": {"precision": "mixed_bfloat16"}}
    model = make().build_model(RunConfig.model_validate(run))
    assert (type(model), model.dtype_policy.name) == (BertSpanQA, "mixed_bfloat16")
    np.testing.assert_array_equal(model.span.kernel, tiny_model().span.kernel)
    assert make().load_model(str(tmp_path)).compute_dtype == "float32"
    with pytest.raises(UserError, match=r"must be at most 64, .* Received: 384"):
        make(sequence_length=384).build_model(RunConfig.model_validate(run))
