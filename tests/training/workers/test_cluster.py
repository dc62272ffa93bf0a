"""What TF_CONFIG may say, and what is said of the rest."""

from __future__ import annotations

import json

import pytest

from bert_tf.errors import UserError
from bert_tf.training.workers.cluster import read_cluster

TWO = {"worker": ["a:1", "b:2"]}


def test_the_chief_is_the_first_of_those_that_train():
    text = json.dumps(
        {
            "cluster": {"worker": ["a:2", "[::1]:3"], "chief": ["a:1"], "evaluator": ["a:9"], "ps": ["a:5"]},
            "task": {"type": "worker", "index": "1", "trial": "4"},
            "environment": "cloud",
        }
    )
    cluster = read_cluster(text)
    assert cluster is not None
    assert cluster.workers == ("a:1", "a:2", "[::1]:3")
    assert (cluster.rank, cluster.address, cluster.has_servers) == (2, "[::1]:3", True)
    server = read_cluster(
        json.dumps({"cluster": {"worker": ["a:2"], "ps": ["a:5"]}, "task": {"type": "ps", "index": 0}})
    )
    assert server is not None
    assert server.rank == -1


def test_nothing_said_is_no_cluster():
    assert read_cluster("") is None
    assert read_cluster(" \n") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", r"expected a JSON object with `cluster` and `task`, such as .*Received: \{$"),
        ("[1, 2]", r"expected a JSON object.*Received: \[1, 2\]$"),
        ("7", r"expected a JSON object.*Received: 7$"),
        ("[" * 100_000, r"expected a JSON object.*Received: \[+\.\.\.$"),
        ({"task": {"type": "worker", "index": 0}}, r"expected a JSON object with `cluster`"),
        ({"cluster": TWO}, r"`task` must say which process this is, by `type` and `index`"),
        ({"cluster": TWO, "task": {"type": "worker"}}, r"`task` must say which process this is"),
        ({"cluster": TWO, "task": 1}, r"`task` must say which process this is"),
        (
            {"cluster": TWO, "task": {"type": "worker", "index": 2}},
            r"`task.index` must be from 0 to 1, .* Received: 2$",
        ),
        (
            {"cluster": TWO, "task": {"type": "worker", "index": -1}},
            r"`task.index` must be from 0 to 1.* Received: -1$",
        ),
        ({"cluster": TWO, "task": {"type": "worker", "index": True}}, r"`task.index` must be .* Received: true$"),
        ({"cluster": TWO, "task": {"type": "worker", "index": None}}, r"`task.index` must be .* Received: null$"),
        ({"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "x"}}, r"must be 0, for .* Received: x$"),
        ({"cluster": TWO, "task": {"type": "master", "index": 0}}, r"is called `chief`. Received: master$"),
        ({"cluster": {"master": ["a:1"], **TWO}, "task": {"type": "worker", "index": 0}}, r"is called `chief`"),
        ({"cluster": TWO, "task": {"type": "evaluator", "index": 0}}, r"no `evaluator` here: those that train"),
        (
            {"cluster": TWO, "task": {"type": "chief", "index": 0}},
            r"one of the cluster's jobs, worker. Received: chief$",
        ),
        ({"cluster": TWO, "task": {"type": ["worker"], "index": 0}}, r"`task.type` must be one of"),
        ({"cluster": {"boss": ["a:1"]}, "task": {}}, r"the jobs chief, worker, ps. Received: boss$"),
        ({"cluster": {"worker": "a:1"}, "task": {}}, r"`cluster.worker` must be a list of addresses.* Received: a:1$"),
        ({"cluster": {"worker": []}, "task": {}}, r"`cluster.worker` must be a list of addresses, host:port. .*\[\]$"),
        ({"cluster": {"worker": ["a"]}, "task": {}}, r"must be a list of addresses, host:port, .* Received: a$"),
        ({"cluster": {"worker": ["a:0"]}, "task": {}}, r"with a port up to 65535. Received: a:0$"),
        ({"cluster": {"worker": ["a:65536"]}, "task": {}}, r"with a port up to 65535. Received: a:65536$"),
        ({"cluster": {"worker": ["a:1" + "0" * 5000]}, "task": {}}, r"with a port up to 65535"),
        ({"cluster": {"worker": ["grpc://a:1"]}, "task": {}}, r"host:port.* Received: grpc://a:1$"),
        ({"cluster": {"worker": [7]}, "task": {}}, r"host:port.* Received: 7$"),
        ({"cluster": {"worker": ["a:1", "a:1"]}, "task": {}}, r"an address of its own. Received: a:1$"),
        ({"cluster": {"chief": ["a:1", "a:2"]}, "task": {}}, r"there can be one chief. Received: 2$"),
        ({"cluster": {"ps": ["a:1"]}, "task": {}}, r"expected a `worker` in `cluster`"),
    ],
)
def test_what_is_no_cluster_is_said_in_a_line(text, said):
    with pytest.raises(UserError, match=rf"^TF_CONFIG: .*{said}") as raised:
        read_cluster(text if isinstance(text, str) else json.dumps(text))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 450
