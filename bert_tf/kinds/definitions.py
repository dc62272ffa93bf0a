"""A task by its name, or from your own file."""

from __future__ import annotations

from bert_tf import lookup
from bert_tf.kinds.base import Kind


def load_task(name: str) -> Kind:
    """The task of a name in tasks/, or of your own Python file, which must define `TASK`.

    Raises: UserError if there is no such task, if its file fails (with the line), or if it has no `TASK` of a kind from
        `bert_tf.kinds`.

    >>> load_task("sst2").classes
    ('negative', 'positive')
    """
    return lookup.load("tasks", name, "TASK", Kind, "a kind from bert_tf.kinds")
