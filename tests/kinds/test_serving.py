"""What every kind lets the formats of export read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bert_tf.kinds.definitions import load_task
from bert_tf.kinds.serving import Serving, lengths_of_texts
from bert_tf.lookup import names


@pytest.mark.parametrize("tokens", [3, 7, 16, 128])
@pytest.mark.parametrize("columns", [1, 2, 3, 6])
def test_texts_fill_a_row_with_its_special_tokens(columns, tokens):
    found = lengths_of_texts(columns)(tokens)
    assert len(found) == columns
    assert sum(found) + columns + 1 == tokens
    if tokens > columns:
        assert min(found) >= 0
    if tokens == 128:
        assert found == {1: (126,), 2: (12, 113), 3: (41, 41, 42), 6: (20, 20, 20, 20, 20, 21)}[columns]


@pytest.mark.parametrize("name", names("tasks"))
def test_a_tasks_names_go_together(name):
    serving = load_task(name).serving
    notes, signatures = serving.contract.outputs, serving.signatures
    assert [note.name for note in notes] == sorted(note.name for note in notes), "a file's are in this order"
    assert any(note.labels for note in notes) == (serving.contract.labels is not None)
    assert serving.contract.labels in (None, serving.labels)
    assert signatures.classes in ((), serving.labels)
    counted = [answer for answers in signatures.counts.values() for answer in answers]
    assert len(counted) == len(set(counted))
    for count, answers in signatures.counts.items():
        inside = [answer in signatures.inner for answer in answers]
        assert (count in signatures.inner) == all(inside), "a count is there as long as something has so many"
    assert all(why.startswith("expected ") and ". Received: " in why for why in serving.refuses.values())


def test_what_a_kind_leaves_out_does_for_one_output():
    serving = Serving()
    assert serving.contract.decode(serving.contract.encode(3)) == 3
    assert serving.signatures.added({"answer": 1}) == {}


def test_what_formats_read_needs_no_tensorflow():
    code = (
        "import sys\nfrom bert_tf.kinds.definitions import load_task\n"
        f"for name in {names('tasks')}: load_task(name).serving\n"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False False\n"), done.stderr
