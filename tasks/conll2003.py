"""CoNLL 2003: persons, places, organisations and more in news (Tjong Kim Sang and De Meulder, 2003, https://aclanthology.org/W03-0419)"""

from bert_tf.data import Conll
from bert_tf.kinds import Tagging

TASK = Tagging(
    source=Conll(
        files={"train": "eng.train", "validation": "eng.testa", "test": "eng.testb"},
        scheme="iob1",  # as published; copies in IOB2 read the same
        hub_names={"words": "tokens", "tags": "ner_tags"},
    ),
    types=("PER", "ORG", "LOC", "MISC"),
    sequence_length=128,
    how_to_get="The real set: eng.train, eng.testa and eng.testb of https://www.clips.uantwerpen.be/conll2003/ner/ "
    "(the text is Reuters', by agreement) in a folder for --data.",
)
