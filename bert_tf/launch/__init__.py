"""Workers started together on a machine, or told who they are by a scheduler: python -m bert_tf.launch"""

from bert_tf.launch.command import main

__all__ = ["main"]
