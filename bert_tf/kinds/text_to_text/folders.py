"""Folders of models that write texts."""

from __future__ import annotations

import logging

from bert_tf.kinds.folders import Answering, Folder, Row, length_of, no_source
from bert_tf.kinds.text_to_text.precision import dtype_to_write_in
from bert_tf.kinds.text_to_text.spec import TextToText

logger = logging.getLogger(__name__)


def text_to_text(folder: Folder) -> Answering:
    """A part of what a row holds is for what is written."""
    from bert_tf.models import BertSeq2Seq
    from bert_tf.models.generation.texts import default_settings

    options = folder.whole | {"dtype": dtype_to_write_in(folder.whole["dtype"])}
    model = BertSeq2Seq.from_pretrained(folder.where, **options)
    length = length_of(model)
    target = default_settings(length).max_length
    logger.warning("%s: at most %d tokens are written, greedily; `task` says otherwise", folder.place, target)
    kind = TextToText(
        source=no_source(),
        text="text",
        target="target",
        metrics=("rouge1",),
        sequence_length=length,
        target_length=target,
    )
    return kind, model


ROWS = {"BertSeq2Seq": Row(("masked_lm",), text_to_text)}
