"""Folders of masked language models."""

from __future__ import annotations

from bert_tf.kinds.folders import Answering, Folder, Row, length_of, no_source
from bert_tf.kinds.pretraining.replaced_tokens import ReplacedTokens
from bert_tf.kinds.pretraining.spec import Pretraining


def fill_mask(folder: Folder) -> Answering:
    """Guesses for each [MASK]; a second head has no part in them."""
    from bert_tf.models import BertMaskedLM

    model = BertMaskedLM.from_pretrained(folder.where, **folder.whole)
    return Pretraining(source=no_source(), sequence_length=length_of(model)), model


def told_tokens(folder: Folder) -> Answering:
    """Which tokens were replaced; a generator beside the discriminator has no part in that."""
    from bert_tf.models import BertDiscriminator

    model = BertDiscriminator.from_pretrained(folder.where, **folder.whole)
    return ReplacedTokens(source=no_source(), sequence_length=length_of(model)), model


def is_both(folder: Folder) -> bool:
    """Whether there are both heads of pre-training."""
    return {"masked_lm", "next_sentence"} <= folder.parts


def has_head(folder: Folder) -> bool:
    """Whether tensors are a masked language model's, and no classifier's."""
    return "masked_lm" in folder.parts and "classifier" not in folder.parts


ROWS = {
    "BertForMaskedLM": Row(("masked_lm",), fill_mask, is_meant=lambda folder: has_head(folder) and not is_both(folder)),
    "BertForReplacedTokens": Row(
        ("replaced",), told_tokens, is_meant=lambda folder: {"replaced", "replaced_transform"} <= folder.parts
    ),
    "BertForPreTraining": Row(("masked_lm",), fill_mask, is_meant=lambda folder: has_head(folder) and is_both(folder)),
}
