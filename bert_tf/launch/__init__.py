"""Workers of one machine, started together: python -m bert_tf.launch"""

from bert_tf.launch.command import main

__all__ = ["main"]
