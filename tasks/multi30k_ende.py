"""Multi30k: captions of pictures, from English to German (Elliott et al., 2016, https://arxiv.org/abs/1605.00459)"""

from bert_tf.data import Parallel
from bert_tf.kinds import TextToText
from bert_tf.models import Generation

TASK = TextToText(
    source=Parallel(
        files={
            split: {"en": f"{name}.en", "de": f"{name}.de"}
            for split, name in (("train", "train"), ("validation", "val"), ("test", "test_2016_flickr"))
        }
    ),
    text="en",
    target="de",
    language="de",
    metrics=("bleu",),
    sequence_length=128,
    target_length=64,
    generation=Generation(beams=5),
    rewrites=((r"(\pL) - (\pL)", r"\1-\2"), (r"-(und|oder) ", r"- \1 ")),
    sample="multi30k_ende",
    how_to_get="The real set: train, val and test_2016_flickr of https://github.com/multi30k/dataset (task 1, raw).",
)
