"""What is served of a pre-trained model: guesses for tokens, or which tokens were replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.kinds.serving import Contract, Named, Serving, Signatures, TensorNote, Tensors, from_model
from bert_tf.terminal.parts import Line, Marked, Part, Shares, Span, given

OUTPUTS = {"masked_lm_logits": "logits", "pair_logits": "pair_logits"}


def masked_lm() -> Serving:
    """Of `Pretraining`."""

    def encode(x: Named) -> dict[str, Any]:
        import tensorflow as tf

        return {"logits": tf.identity(x["masked_lm_logits"])}

    def given(found: Any, inputs: Named) -> dict[str, Any]:
        """For the tokens that a `BertMaskedLM` is asked for."""
        import tensorflow as tf

        return {"masked_lm_logits": tf.gather(found, inputs["masked_positions"], axis=1, batch_dims=1)}

    named = from_model(lambda found: {OUTPUTS[name]: value for name, value in found.items()})
    return Serving(
        signatures=Signatures(
            counts={"count": ("starts", "ends", "tokens", "token_ids", "scores")}, tensors=Tensors(run=named)
        ),
        contract=Contract(
            name="Masked language model",
            description="Which token stands at each place of a text, wanted where that has [MASK].",
            outputs=(
                TensorNote(name="logits", description="For each token of the vocabulary, how well it fits there."),
            ),
            encode=encode,
            decode=lambda found: found["logits"],
            per_token=True,
            given=given,
        ),
        refuses={"tflite:text": "expected tensors: a text's [MASK] would be read as letters. Received: text"},
        shown=_shown,
    )


def discriminator() -> Serving:
    """Of `ReplacedTokens`."""
    return Serving(
        signatures=Signatures(counts={"count": ("starts", "ends", "scores")}),
        contract=Contract(
            name="Replaced tokens",
            description="Which tokens of a text are others than stood there.",
            outputs=(TensorNote(name="logits", description="Above 0 where a token is more likely a replaced one."),),
            per_token=True,
        ),
        shown=_told,
    )


def _told(answer: Mapping[str, Any]) -> list[Part]:
    spans = [Span(one["start"], one["end"], "replaced", one["score"]) for one in answer["pieces"] if one["score"] > 0.5]
    return [Marked(answer["text"], spans, is_listed=True), *([] if spans else [Line("  nothing in it is replaced")])]


def _shown(answer: Mapping[str, Any]) -> list[Part]:
    masks = answer["masks"]
    if not masks:
        return [*given(answer), Line("no [MASK] in it, so nothing is guessed")]
    parts = [*given(answer), Line(answer["filled"], "filled in")]
    for i, mask in enumerate(masks, start=1):
        guesses = {guess["token"]: guess["score"] for guess in mask["guesses"]}
        parts.append(Shares(guesses, tuple(guesses)[:1], f"[MASK] {i}" if len(masks) > 1 else ""))
    return parts
