"""TensorBoard over two real runs, opened in headless Chromium: every tab shows what the run wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bert_tf
from benchmarks.screenshots import Page, browser, chromium, curves, opened, tensorboard, wait_for

pytestmark = pytest.mark.slow
CURVES = {
    "quality": ("quality/loss", "quality/accuracy", "optimizer/learning_rate", "optimizer/gradient_norm"),
    "speed": (
        *("speed/examples_per_second", "speed/tokens_per_second", "speed/padding_share"),
        *("speed/model_flops_utilization", "speed/peak_memory_gib"),
    ),
}
SHOWN = {
    "images": ("validation/confusion", "validation/precision_recall", "validation/reliability"),
    "text": ("configuration", "validation/summary", "validation/mistakes", "validation/examples", "validation/classes"),
    "hparams": ("runs/slow", "runs/quick", "training.learning_rate", "quality/accuracy"),
    "projector": ("Points: 192", "Dimension: 8"),
    "graphs": ("Main Graph", "token_ids", "bert_classifier"),
    "pr_curves": ("precision_recall/negative", "precision_recall/positive"),
}


@pytest.fixture(scope="module")
def board(tmp_path_factory, tiny_run) -> Iterator[tuple[Any, str]]:
    """A browser, and the address of a TensorBoard over two runs that differ in their learning rate."""
    pytest.importorskip("playwright", reason="the extra `browser` is not installed")
    if chromium() is None:
        pytest.skip("there is no Chromium on the PATH, nor at CHROMIUM")
    runs: Path = tmp_path_factory.mktemp("boards") / "runs"
    for name, rate in (("slow", 1e-3), ("quick", 1e-2)):
        options = {"max_steps": 24, "evaluate_every_steps": 8, "learning_rate": rate}
        bert_tf.train(
            "sst2", data="sample", backbone=tiny_run / "model", run=runs / name, training=options, progress=False
        )
    with tensorboard(runs) as url, browser() as context:
        yield context, url


@pytest.mark.parametrize("tab", SHOWN)
def test_a_tab_shows_what_the_run_wrote(board, tab):
    context, url = board
    opened(context, Page(tab, f"{url}#{tab}", wait_for=SHOWN[tab])).close()


@pytest.mark.parametrize(("tags", "group"), [("quality|optimizer", "quality"), ("speed", "speed")])
def test_curves_are_there_under_their_tags(board, tags, group):
    context, url = board
    page = Page("curves", curves(url, tags), wait_for=CURVES[group], height=2400)  # what is out of sight stays empty
    opened(context, page).close()


def test_training_validation_and_kept_weights_are_on_one_chart(board):
    context, url = board
    of_runs = [f"quick/tensorboard/{name}" for name in ("train", "validation", "kept")]
    page = Page("scalars", f"{url}#scalars&tagFilter=quality", wait_for=("quality/loss", *of_runs))
    opened(context, page).close()


def test_a_tag_that_is_not_there_is_not_found(board):
    context, url = board
    page = opened(context, Page("images", f"{url}#images", wait_for=("validation/confusion",)))
    with pytest.raises(TimeoutError, match="expected 'validation/contusion'"):
        wait_for(page, "validation/contusion", seconds=1)
    page.close()
