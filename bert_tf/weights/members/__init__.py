"""The members of BERT's family whose files are read and written: one file each says all there is to say of one."""

from __future__ import annotations

from bert_tf.weights.members.albert import ALBERT
from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.deberta import DEBERTA_V2
from bert_tf.weights.members.distilbert import DISTILBERT
from bert_tf.weights.members.electra import ELECTRA
from bert_tf.weights.members.member import OUR_CLASSES, Member
from bert_tf.weights.members.mobilebert import MOBILEBERT
from bert_tf.weights.members.modernbert import MODERNBERT
from bert_tf.weights.members.mpnet import MPNET
from bert_tf.weights.members.roberta import CAMEMBERT, ROBERTA, XLM_ROBERTA

__all__ = ["BERT", "MEMBERS", "OUR_CLASSES", "Member", "end_of", "is_of_transformers", "member_of_class"]

# By `model_type`. A file that does not say its own is that one's whose needed keys it has, of which most are needed.
MEMBERS: dict[str, Member] = {
    member.model_type: member
    for member in (
        BERT,
        DISTILBERT,
        ELECTRA,
        MPNET,
        ROBERTA,
        XLM_ROBERTA,
        CAMEMBERT,
        ALBERT,
        MODERNBERT,
        DEBERTA_V2,
        MOBILEBERT,
    )
}


def member_of_class(architecture: str) -> Member | None:
    """The member that a class of Transformers, or one of our own names of the kind, is of."""
    return next((member for member in MEMBERS.values() if architecture.startswith(member.prefix)), None)


def end_of(architecture: str | None) -> str | None:
    """The head that a class's name says: `BertForMaskedLM` -> `ForMaskedLM`; None of another's."""
    member = member_of_class(architecture or "")
    return None if member is None else member.end_of((architecture or "").removeprefix(member.prefix))


def is_of_transformers(architecture: str) -> bool:
    """Whether Transformers has a class of that name, of a member."""
    member = member_of_class(architecture)
    return member is not None and end_of(architecture) in member.classes
