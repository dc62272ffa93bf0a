"""What `from_pretrained` takes: by name, with what others call the same."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from bert_tf.models import BertClassifier, BertConfig, BertEmbedder
from tests.models.every import every_model


@every_model
def test_each_argument_is_named_and_explained(cls):
    signature = inspect.signature(cls.from_pretrained)
    own = set(inspect.signature(cls.__init__).parameters) - {"self", "config", "backbone"}
    fields = {field.name for field in dataclasses.fields(BertConfig)}
    assert (
        set(signature.parameters) == {"where", "preprocessor", "new_weights", "extra_weights", "ignore"} | own | fields
    )
    assert all(part.kind is part.KEYWORD_ONLY for name, part in signature.parameters.items() if name != "where")
    assert own <= set(cls.from_pretrained.__doc__.replace(",", " ").replace(":", " ").split())
    assert cls.from_pretrained.__qualname__ == f"{cls.__name__}.from_pretrained"


def test_defaults_are_those_of_the_class():
    defaults = {name: part.default for name, part in inspect.signature(BertEmbedder.from_pretrained).parameters.items()}
    assert (defaults["pooling"], defaults["normalize"], defaults["hidden_dim"]) == ("mean", True, None)
    assert inspect.signature(BertClassifier.from_pretrained).parameters["num_classes"].default is None


def test_a_class_of_your_own_has_its_own():
    class Mine(BertClassifier):
        def __init__(self, backbone, num_classes, *, temperature=1.0):
            super().__init__(backbone, num_classes)
            self.temperature = temperature

    assert "temperature" in inspect.signature(Mine.from_pretrained).parameters
    shape = {"vocabulary_size": 9, "hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8}
    model = Mine.from_pretrained("tiny", num_classes=2, temperature=2.0, max_positions=None, **shape)
    assert (model.temperature, model.config.hidden_dim, model.config.max_positions) == (2.0, 8, 512)


@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ("num_labels", "`num_labels`: say `num_classes`."),
        ("id2label", "`id2label`: say `labels`, a tuple of the names"),
        ("hidden_dropout_prob", "`hidden_dropout_prob`: say `hidden_dropout`."),
        ("attention_dropout_rate", "Did you mean 'attention_dropout'?"),
        ("max_position_embeddings", "`max_position_embeddings`: say `max_positions`."),
        ("n_layers", "`n_layers`: say `num_layers`."),  # DistilBERT's
        ("from_pt", "`from_pt`: leave it out"),
        ("output_attentions", "`output_attentions`: the models give no attention weights."),
        ("revision", "`revision`: say hf://org/name@revision."),
        ("num_clases", "Did you mean 'num_classes'?"),
    ],
)
def test_what_others_call_it_gets_a_hint(argument, hint):
    with pytest.raises(ValueError, match=rf"^`BertClassifier.from_pretrained` has no {argument}\.") as error:
        BertClassifier.from_pretrained("tiny", num_classes=2, **{argument: 1})
    assert hint in str(error.value)
