"""Pre-training from raw text: masked tokens and next sentences (Devlin et al., 2019, https://arxiv.org/abs/1810.04805)"""

from bert_tf.data import TextCorpus
from bert_tf.kinds import Pretraining

TASK = Pretraining(
    source=TextCorpus(),
    sequence_length=128,
    sample="pretrain",
    how_to_get="Any text will do: --data='corpus/*.txt.gz', a folder, or JSON lines.",
)
