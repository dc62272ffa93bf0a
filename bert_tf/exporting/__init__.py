"""What every format of export/ shares: the protocol, and the checks before an artefact gets its name."""

from bert_tf.exporting.artefact import Artefact, Loaded
from bert_tf.exporting.run import Run

__all__ = ["Artefact", "Loaded", "Run"]
