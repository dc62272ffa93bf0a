"""What sentence-transformers keeps beside a model's weights: how token vectors become a text's vector, or a score.

A folder of theirs has `modules.json`, which lists the modules and the folder of each: the transformer (in the folder
itself or, before version 2, in one of its own), a pooling, and perhaps a dense layer and a scaling to the length 1.
"""

from bert_tf.weights.sentence_transformers.modules import has_vectors, lowercases, read_modules, similarity_name
from bert_tf.weights.sentence_transformers.save import write_modules

__all__ = ["has_vectors", "lowercases", "read_modules", "similarity_name", "write_modules"]
