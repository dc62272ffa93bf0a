"""Names of folders below a run's `tensorboard/`."""

BOARDS = "tensorboard"
TRAIN, VALIDATION, KEPT = "train", "validation", "kept"
OLD_VALIDATION = "evaluation"
"""What earlier versions called the validation set's."""
