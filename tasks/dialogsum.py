"""DialogSum: what was said in a dialogue of daily life? (Chen et al., 2021, https://arxiv.org/abs/2105.06762)"""

from bert_tf.data import LiteralLines
from bert_tf.kinds import TextToText
from bert_tf.models import Generation

TASK = TextToText(
    source=LiteralLines(
        archive="DialogSum_Data.zip",
        files={
            "train": "DialogSum_Data/dialogsum.train.jsonl",
            "validation": "DialogSum_Data/dialogsum.dev.jsonl",
            "test": "DialogSum_Data/dialogsum.test.jsonl",
        },
    ),
    text="dialogue",
    target="summary",
    references=("summary1", "summary2", "summary3"),
    metrics=("rouge1", "rouge2", "rougeL", "rougeLsum"),
    sequence_length=384,
    target_length=80,
    generation=Generation(beams=4, no_repeat_ngram=3, min_length=10),
    rewrites=((r"# person ?(\d) ?#", r"#Person\1#"),),
    simple_answers={
        "lead_3": lambda dialogue: "\n".join(dialogue.split("\n")[:3]),
        "longest_utterance": lambda dialogue: max(dialogue.split("\n"), key=len),
    },
    how_to_get="The real set: DialogSum_Data.zip of https://github.com/cylnlp/dialogsum.",
)
