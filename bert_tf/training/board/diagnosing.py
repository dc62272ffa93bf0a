"""What is looked at when a run is over: the answers of the weights that were kept, to texts that they never saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bert_tf.config import RunConfig
from bert_tf.training.board.diagnosed import write_findings

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.diagnosis import Diagnosis
    from bert_tf.kinds.examples import Examples

FAR_MORE_TEXTS = 5


class Found(NamedTuple):
    """What was found, of which examples, and the answers to them as `Pipeline.rows` gives them."""

    diagnosis: Diagnosis
    examples: Examples
    answers: list[Any]


def diagnose(
    kind: Kind, open_pipeline: Callable[[], Any], examples: Examples, config: RunConfig, *, tell: Callable[[str], None]
) -> Found | None:
    """One pass over validation texts, `evaluation.diagnosed_examples` at most.

    Args:
        open_pipeline: gives the run's, with the weights that were kept.
        examples: of the validation set.
        tell: says what is not looked at.
    Returns: None where nothing is asked for or found, or where there are too many texts.
    """
    most = config.evaluation.diagnosed_examples
    if kind.most_diagnosed is not None:
        most = min(most, kind.most_diagnosed)
    if not most:
        return None
    some = examples.spread(most)
    texts = len(some.columns[0])
    if texts > FAR_MORE_TEXTS * config.evaluation.diagnosed_examples:  # documents to be found, say
        tell(
            f"the validation set has {texts:,} texts that belong together, so no answers are looked at: "
            "evaluation.diagnosed_examples says from how many on"
        )
        return None
    if len(some) < len(examples):
        tell(f"looking at {len(some):,} of the {len(examples):,} validation examples (evaluation.diagnosed_examples)")
    answers = open_pipeline().rows(*some.columns) if texts else []
    diagnosis = kind.diagnose(answers, some)
    return Found(diagnosis, some, answers) if diagnosis.rows else None


def show_on_board(pipeline: Any, found: Found, run_folder: Path, *, step: int) -> None:
    """What `diagnose` found, in TensorBoard; `step`: that of the weights."""
    write_findings(
        run_folder,
        found.diagnosis,
        step=step,
        graph=lambda: _graph(pipeline.model),
        vectors=pipeline.kind.projected(pipeline, found.examples, found.answers, found.diagnosis),
    )


def _graph(model: Any) -> Any:
    """The model's graph, from tokens to outputs, traced for any number of texts and tokens."""
    import tensorflow as tf

    specs = {name: tf.TensorSpec(x.shape, x.dtype, name=name) for name, x in model.input.items()}
    return tf.function(lambda inputs: model(inputs, training=False), autograph=False).get_concrete_function(specs).graph
