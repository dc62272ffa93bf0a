"""WNUT 2017: what do posts name that few posts named before? (Derczynski et al., 2017, https://aclanthology.org/W17-4418)"""

from bert_tf.data import Conll
from bert_tf.kinds import Tagging

TASK = Tagging(
    source=Conll(
        files={
            "train": "wnut17train.conll",
            "validation": "emerging.dev.conll",
            "test": "emerging.test.annotated",
        },
        hub_names={"words": "tokens", "tags": "ner_tags"},
    ),
    types=("corporation", "creative-work", "group", "location", "person", "product"),
    sequence_length=128,
    sample="wnut17",
    how_to_get="The real set: files of https://github.com/leondz/emerging_entities_17; --data=FOLDER.",
)
