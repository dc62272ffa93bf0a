"""Folders of models that choose among texts."""

from __future__ import annotations

import dataclasses

from bert_tf.kinds.folders import LONGEST, Answering, Folder, Row, length_of, no_source
from bert_tf.kinds.multiple_choice.spec import MultipleChoice


def multiple_choice(folder: Folder) -> Answering:
    """Any number of choices, which come with each text."""
    kind = MultipleChoice(source=no_source(), text="text", choices="choices", label="label", sequence_length=LONGEST)
    model = kind.load_model(str(folder.where), **folder.reading)
    return dataclasses.replace(kind, sequence_length=length_of(model)), model


ROWS = {"BertForMultipleChoice": Row(("classifier",), multiple_choice)}
