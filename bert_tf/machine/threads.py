"""What runs at the same time on a machine without an accelerator: threads of an operation, and parts of a batch."""

from __future__ import annotations

import tensorflow as tf

from bert_tf.machine.cores import cores

SMALL_WIDTH = 512
LEAST_WIDTH = 384


def set_threads(asked: int | None, hidden_dim: int, *, parts: int = 1) -> int | None:
    """Sets TensorFlow's intra-op threads, if it has not started yet.

    A small model's operations are too short to share: they gain nothing from a second thread, and wait for it. Half the
    cores for each leaves room for two at a time, and the backward pass always has two products to make. On two cores,
    one thread instead of two made MiniLM's training step 1.3 times as fast, BERT-base's 0.93 times; but with two parts
    of the batch side by side (`parts_at_once`) BERT-base's, too, is 1.1 times as fast.

    Args:
        asked: threads for an operation; None: half the cores for models up to 512 wide and for parts side by side, else
            TensorFlow's default.
        hidden_dim: width of the model.
        parts: of a batch that will go through the model side by side.
    Returns: the number set, or None where TensorFlow's own was left.
    """
    if asked is None:
        if (hidden_dim > SMALL_WIDTH and parts == 1) or tf.config.list_physical_devices("GPU"):
            return None
        asked = max(1, cores() // 2)
    try:
        tf.config.threading.set_intra_op_parallelism_threads(asked)
    except RuntimeError:  # too late: TensorFlow has started in this process
        return None
    return asked


def parts_at_once(hidden_dim: int) -> int:
    """How many parts of a batch go through the model side by side: two where there are two cores, else one.

    From the input to the loss each operation waits for the one before, so where an operation has half the cores the
    other half would be idle. On two cores, two halves of the rows made the training step 1.1 times as fast for MiniLM
    and BERT-base on short sentences, and for MiniLM 1.19 times on rows of 128 tokens, 1.26 times on rows of 384. Two
    graphs take longer to trace than one, MiniLM's by 1.3 seconds, and a narrow model's operations are over before two
    pay: one part under `LEAST_WIDTH`, the width of the narrowest model that was measured.
    """
    if hidden_dim < LEAST_WIDTH or tf.config.list_physical_devices("GPU") or tf.config.list_physical_devices("TPU"):
        return 1
    return 2 if cores() > 1 else 1


def runs_at_a_time() -> int:
    """How many runs of a model there may be at a time, in threads of their own, so that all cores have work.

    As many as leave each operation the threads that `set_threads` gave it; one, where TensorFlow chose these itself,
    and on an accelerator.
    """
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    if not threads or tf.config.list_physical_devices("GPU"):
        return 1
    return max(1, cores() // threads)
