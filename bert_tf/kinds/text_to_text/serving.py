"""What is served of texts that are written for texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bert_tf.kinds.serving import Calls, Serving, Signatures, Tensors
from bert_tf.terminal.parts import Line, Part, given

WRITES = """
from bert_tf.models import Generation

found = model.generate(tokenizer({texts}), Generation(max_length=16), end_id=tokenizer.sep_id)
print(tokenizer.decode(found["token_ids"]))
"""


def text_to_text(write: Callable[[Any, Any], Callable[..., Any]], *, target_length: int) -> Serving:
    """Args:
    write: the model and its tokenizer to what writes texts for token_ids and padding_mask.
    target_length: most tokens that are written, for which a row leaves room.
    """
    inputs = ("token_ids", "padding_mask")
    return Serving(
        signatures=Signatures(tensors=Tensors(inputs=inputs, spare_positions=target_length, run=write)),
        refuses=dict.fromkeys(
            ("tflite", "onnx", "openvino"), "expected a task that answers in one pass. Received: one that writes texts"
        ),
        calls=Calls(ours=WRITES, cannot="does not write texts with them"),
        shown=_shown,
    )


def _shown(answer: Mapping[str, Any]) -> list[Part]:
    return [*given(answer), Line(answer["generated"], "written")]
