"""Whatever another worker's end gives rise to, that it has ended is what is said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tensorflow as tf

from bert_tf.errors import RunAgain, UserError
from bert_tf.training.strategy import lost_worker_named
from bert_tf.training.workers import joining

GONE = RunAgain("worker 1 (b:2) has ended")


@pytest.fixture(params=["found out by us", "found out by TensorFlow", "nobody is gone", "alone"])
def peers(request, monkeypatch) -> str:
    """Workers of which one may be gone; gives how."""
    failure = GONE if request.param == "found out by us" else None
    lost = GONE if request.param.startswith("found out") else None
    found = None if request.param == "alone" else SimpleNamespace(failure=failure, is_lost=lambda: lost)
    monkeypatch.setattr(joining, "_joined", found)
    return request.param


def raised(error: BaseException) -> BaseException:
    with (
        pytest.raises(type(error) if isinstance(error, KeyboardInterrupt) else Exception) as found,
        lost_worker_named(),
    ):
        raise error
    return found.value


def test_errors_of_tensorflow(peers):
    error = tf.errors.UnavailableError(None, None, "Collective ops is aborted by: ...")
    assert raised(error) is (GONE if peers.startswith("found out") else error)


def test_errors_while_a_step_is_traced(peers):
    """Autograph turns an error of ours into one of its own."""

    @tf.function
    def step():
        if tf.constant(True):
            raise GONE

    with pytest.raises(Exception, match="worker 1") as found, lost_worker_named():
        step()
    assert (found.value is GONE) == (peers == "found out by us")


@pytest.mark.parametrize("error", [UserError("a mistake"), KeyboardInterrupt()])
def test_what_has_another_reason_stays(peers, error):
    assert raised(error) is error


def test_an_error_of_ones_own_stays_unless_we_were_told(peers):
    error = ZeroDivisionError()
    assert raised(error) is (GONE if peers == "found out by us" else error)
