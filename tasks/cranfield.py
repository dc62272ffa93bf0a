"""Cranfield: 1,400 abstracts on aerodynamics, 225 questions of engineers (Cleverdon, 1967).

The set has no published split: every third query is "validation", the others are "train", and "all" has all of them.
"""

from bert_tf.data import Cranfield
from bert_tf.kinds import Retrieval

QRELS = "cranqrel"
TASK = Retrieval(
    source=Cranfield(
        files={
            "documents": "cran.all.1400",
            "queries": "cran.qry",
            **dict.fromkeys(("train", "validation", "all"), QRELS),
        }
    ),
    metrics=("ndcg_at_10", "mrr", "recall_at_10", "recall_at_100"),
    sequence_length=256,
    sample="cranfield",
    how_to_get="The real set: unpack http://ir.dcs.gla.ac.uk/resources/test_collections/cran/cran.tar.gz "
    "and give --data=FOLDER.",
)
