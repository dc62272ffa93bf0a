"""What a run's `model.*` keys ask of the backbone's files: new weights, further weights, what to leave out."""

from __future__ import annotations

import json
import logging
import shutil

import pytest

from bert_tf import BytePairTokenizer
from bert_tf.config import override_layer, resolve
from bert_tf.errors import UserError
from bert_tf.kinds.definitions import load_task

NEW = {
    "wnut17": "classifier/kernel, classifier/bias",
    "squad": "span/kernel, span/bias",
    "pretrain": "masked_lm/bias, .*next_sentence/bias",
    "multi30k_ende": "masked_lm/bias, .*masked_lm/norm/beta",
}


def build(task, backbone, *settings):
    config = resolve([override_layer([f"task={task}", f"backbone={backbone}", "data.sequence_length=32", *settings])])
    return load_task(task).configured(config).build_model(config)


@pytest.mark.parametrize("task", NEW)
def test_new_weights_are_named_in_one_warning_and_can_be_forbidden(task, tiny_model, caplog):
    with caplog.at_level(logging.WARNING):
        build(task, tiny_model)
    said = [record.message for record in caplog.records if "random until they are trained" in record.message]
    assert len(said) == 1
    with pytest.raises(
        UserError, match=rf"has no weights for {NEW[task]}.*: `new_weights`=forbid \(model.new_weights\)"
    ):
        build(task, tiny_model, "model.new_weights=forbid")


def test_a_whole_head_is_not_new(tiny_model, caplog):
    with caplog.at_level(logging.WARNING):
        build("sst2", tiny_model, "model.new_weights=forbid", "model.extra_weights=forbid")
    assert not caplog.records


def test_further_weights_can_be_forbidden_and_facts_left_out(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "x")
    raw = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(raw | {"is_decoder": True}))
    with pytest.raises(UserError, match=r"""`is_decoder` must be false.*--set model.ignore='\["is_decoder"\]'"""):
        build("sst2", folder)
    build("sst2", folder, 'model.ignore=["is_decoder"]')
    with pytest.raises(UserError, match=r"classifier.weight is extra"):
        build("squad", folder, 'model.ignore=["is_decoder"]', "model.extra_weights=forbid")


def test_a_model_for_answers_must_be_whole(tiny_model):
    with pytest.raises(UserError, match="has no weights for span/kernel, span/bias: `new_weights`=forbid"):
        load_task("squad").load_model(str(tiny_model))


@pytest.mark.parametrize("said", [True, False])
def test_a_run_says_whether_a_vocabulary_lower_cases(tiny_model, tmp_path, said):
    folder = shutil.copytree(tiny_model, tmp_path / "x")
    (folder / "tokenizer_config.json").unlink()  # no file tells
    config = resolve([override_layer(["task=sst2", f"backbone={folder}", f"model.lowercase={str(said).lower()}"])])
    tokenizer = load_task("sst2").tokenizer_of(config)
    assert tokenizer.lowercase is said
    assert tokenizer.tokenize(["GOOD"]).to_list() == tokenizer.tokenize(["good" if said else "[UNK]"]).to_list()


def test_a_size_has_the_padding_token_of_its_vocabulary(tmp_path):
    BytePairTokenizer(["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a"], []).save_pretrained(tmp_path)
    assert build("sst2", "tiny", f"vocabulary={tmp_path}").config.pad_token_id == 1
    assert build("sst2", "tiny").config.pad_token_id == 0
