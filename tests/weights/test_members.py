"""The table of the family's members: each one is whole, and no two of them say the same."""

from __future__ import annotations

import dataclasses
from collections import Counter

import keras
import numpy as np
import pytest

import bert_tf
from bert_tf.models import weights_by_path
from bert_tf.models.heads import MODELS
from bert_tf.weights.members import MEMBERS, end_of, is_of_transformers, member_of_class
from bert_tf.weights.members.member import HEADS, OUR_CLASSES
from bert_tf.weights.tables import blocks_of, expand

SIZES = {"vocabulary_size": 9, "hidden_dim": 4, "num_layers": 2, "num_heads": 2, "intermediate_dim": 6}


def config_of(member) -> bert_tf.BertConfig:
    pad = min(1, member.defaults["pad_token_id"])  # ModernBERT's lies far behind these tokens
    narrow = {} if member.defaults.get("embedding_dim") is None else {"embedding_dim": 3}
    return bert_tf.BertConfig(**{**member.defaults, **SIZES, **narrow, "max_positions": 8, "pad_token_id": pad})


@pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))
def test_every_field_that_changes_answers_has_a_key_or_a_fixed_value(member):
    fields = {field.name for field in dataclasses.fields(bert_tf.BertConfig)}
    said = {*member.used, *member.optional, *member.values, "model_type"}
    assert fields - said == {"position_initializer", "recompute"}  # which say how a model is trained
    assert not set(member.used) & (set(member.optional) | set(member.values))


@pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))
@pytest.mark.parametrize("name", MODELS)
def test_every_weight_of_every_model_has_a_row_and_a_part(member, name):
    arguments = {"num_classes": 2} if MODELS[name].names_classes else {}
    config = config_of(member)
    if name == "BertSeq2Seq":  # which refuses to see tokens before they are written
        config = config.replace(trigram=False)
    model = getattr(bert_tf, name)(config, **arguments)
    assert model.architecture == member.architecture(MODELS[name].end)
    rows = {row.path: row for row in expand(member.rows_of(MODELS[name].end), **blocks_of(config.to_dict()))}
    paths = list(weights_by_path(model))
    heads = {row.path for row in member.head_rows.get(MODELS[name].end, ())}
    assert set(paths) <= set(rows)
    for path in paths:
        parts = member.parts_of(MODELS[name].end)
        part = next(part for start, part in parts.items() if rows[path].name.startswith(start))
        root = path.split("/")[0]
        within = ("embeddings", "relative_bias", "relative_vectors", "block_", "final_norm")
        assert part == ("backbone" if root.startswith(within) else root)
        inside = rows[path].name.startswith(member.backbone)
        is_heads = member.pooler.in_head or path in heads
        assert inside == (part == "backbone" or (part == "pooler" and not is_heads))


@pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))
def test_a_member_without_segments_tells_none(member):
    assert not (member.tells_segments and member.fixed.get("num_segments") == 0)
    telling = ("bert", "electra", "albert", "deberta-v2", "mobilebert")
    assert member.tells_segments == (member.model_type in telling)


@pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))
def test_rows_and_classes(member):
    rows = expand(member.rows, 2)
    assert len({row.path for row in rows}) == len(rows)
    shared = Counter(row.name for row in rows)
    assert all(shared[row.name] == row.layout.parts for row in rows)
    for end in member.head_rows:  # a file with a head's own names is known by them, or else by its class
        own = expand(member.rows_of(end), 2)
        assert {row.path for row in own} == {row.path for row in rows}
        names = {row.name for row in own}
        assert member.head_in(names, end) == end
        if names - set(shared):
            assert member.head_in(names) == end
    assert member.head_in(set(shared)) is None
    assert set(member.classes) - set(HEADS) <= {"LMHeadModel"}
    assert {end for row in member.dropouts for end in row.heads} <= set(member.classes)
    assert all(end in HEADS for end in OUR_CLASSES)
    for end in (*member.classes, *OUR_CLASSES):
        name = member.architecture(end)
        assert member_of_class(name) is member
        assert end_of(name) == end
        assert is_of_transformers(name) == (end in member.classes)
    assert end_of("FlaubertForMaskedLM") is None
    assert not is_of_transformers("FlaubertForMaskedLM")


def test_no_two_members_have_the_same_names():
    for names in ("model_type", "prefix", "name"):
        found = [getattr(member, names) for member in MEMBERS.values()]
        assert len(set(found)) == len(found)
    of_roberta = ("xlm-roberta", "camembert")
    shared = {kind: member.base for kind, member in MEMBERS.items() if kind not in of_roberta}
    assert len(set(shared.values())) == len(shared)
    assert all(MEMBERS[kind].base == "roberta." for kind in of_roberta)  # as Transformers has it
    prefixes = [member.prefix for member in MEMBERS.values()]
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)]


@pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))
def test_a_new_model_of_each_is_saved_and_read_as_itself(tmp_path, member):
    keras.utils.set_random_seed(2)
    model = bert_tf.BertSpanQA(config_of(member), dropout=0.25)
    model.save_pretrained(tmp_path / "x")
    again = bert_tf.BertSpanQA.from_pretrained(tmp_path / "x", new_weights="forbid", extra_weights="forbid")
    assert (again.config, again.dropout) == (model.config, 0.25)  # BERT has no key for it: config.json's "bert_tf" has
    for path, weight in weights_by_path(model).items():
        if path.startswith("pooler/"):  # which has no part in it
            continue
        np.testing.assert_array_equal(weights_by_path(again)[path], weight, err_msg=path)
