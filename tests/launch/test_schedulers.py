"""Which worker a process is, of the variables that Slurm and Kubernetes set."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.launch import command, schedulers
from bert_tf.launch.schedulers import hosts, tf_config
from bert_tf.training.workers.cluster import read_cluster
from tests.conftest import REPOSITORY

STEP = {
    "SLURM_JOB_ID": "1283",
    "SLURM_PROCID": "2",
    "SLURM_LOCALID": "0",
    "SLURMD_NODENAME": "gpu10",
    "SLURM_STEP_NUM_TASKS": "3",
    "SLURM_STEP_NODELIST": "gpu[09-10]",
    "SLURM_STEP_TASKS_PER_NODE": "2,1",
}
POD = {"JOB_COMPLETION_INDEX": "1", "HOSTNAME": "bert-train-1"}


def test_a_task_of_slurm():
    cluster = read_cluster(tf_config("slurm", STEP) or "")
    assert cluster is not None
    assert cluster.workers == ("gpu09:20048", "gpu09:20049", "gpu10:20048")  # 1283 - 2 * 640 = 3 times 16 ports
    assert (cluster.rank, cluster.address) == (2, "gpu10:20048")
    cluster = read_cluster(tf_config("slurm", STEP, port=4000) or "")
    assert cluster is not None
    assert cluster.workers == ("gpu09:4000", "gpu09:4001", "gpu10:4000")


def test_jobs_that_share_a_machine_have_ports_of_their_own():
    ports = set()
    for job in range(1000, 1000 + schedulers.JOBS):
        cluster = read_cluster(tf_config("slurm", STEP | {"SLURM_JOB_ID": str(job)}) or "")
        assert cluster is not None
        ports |= {int(address.rpartition(":")[2]) + extra for address in cluster.workers for extra in (0, 13)}
    assert len(ports) == 4 * schedulers.JOBS
    assert max(ports) < 32_768  # from there on Linux gives them out


def test_a_pod_of_an_indexed_job():
    for host in ("bert-train-1", "bert-train-1.bert-train.default.svc.cluster.local"):
        cluster = read_cluster(tf_config("kubernetes", POD | {"HOSTNAME": host}, workers=3) or "")
        assert cluster is not None
        assert cluster.workers == tuple(f"bert-train-{i}.bert-train:2222" for i in range(3))
        assert cluster.rank == 1


def test_one_alone_has_no_cluster():
    alone = {"SLURM_PROCID": "0", "SLURM_STEP_NODELIST": "gpu10", "SLURM_STEP_TASKS_PER_NODE": "1"}
    assert tf_config("slurm", STEP | alone) is None
    assert tf_config("kubernetes", {"JOB_COMPLETION_INDEX": "0", "HOSTNAME": "bert-0"}, workers=1) is None


def random_list(rng: np.random.Generator) -> str:
    """A host list as Slurm writes them: names, and names with ranges of numbers, some with zeros before them."""
    parts = []
    for name in rng.choice(["n", "gpu-", "rack3.node", "m5"], size=rng.integers(1, 4), replace=False):
        width = int(rng.integers(1, 4))
        ranges = []
        for _ in range(rng.integers(1, 4)):
            first = int(rng.integers(0, 10**width))
            last = first + int(rng.integers(0, 5))
            ranges.append(f"{first:0{width}d}" + (f"-{last:0{width}d}" if last > first else ""))
        parts.append(f"{name}[{','.join(ranges)}]" if rng.random() < 0.7 else str(name))
    return ",".join(parts)


def test_host_lists_and_clusters_are_those_that_tensorflow_makes(monkeypatch):
    theirs = pytest.importorskip("tensorflow.python.distribute.cluster_resolver.slurm_cluster_resolver")
    rng = np.random.default_rng(1)
    for text in [random_list(rng) for _ in range(200)]:
        assert list(hosts(text)) == theirs.expand_hostlist(text), text
    for text in ("2(x3),1", "1", "4,2(x2)", "1(x10)"):
        assert schedulers._counts(text) == theirs.expand_tasks_per_node(text)
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    resolver = theirs.SlurmClusterResolver(port_base=20048, gpus_per_node=2, gpus_per_task=1, auto_set_gpu=False)
    found = json.loads(tf_config("slurm", STEP) or "")
    assert found["cluster"] == resolver.cluster_spec().as_dict()
    assert (found["task"]["type"], found["task"]["index"]) == resolver.get_task_info()


def test_host_lists_of_several_ranges():
    assert list(hosts("r[1-2]n[08-09],x")) == ["r1n08", "r1n09", "r2n08", "r2n09", "x"]


@pytest.mark.parametrize(
    ("scheduler", "environment", "workers", "said"),
    [
        (
            "slurm",
            {},
            None,
            r"^--from=slurm: expected a task of a step, which srun starts. Received: SLURM_JOB_ID=none",
        ),
        ("slurm", {"SLURM_JOB_ID": "1"}, None, r"expected a task of a step.* Received: SLURM_STEP_NODELIST=none$"),
        ("slurm", STEP | {"SLURM_PROCID": "x"}, None, r"Received: SLURM_PROCID=x$"),
        ("slurm", STEP | {"SLURM_STEP_NODELIST": "n[a-b]"}, None, r"expected a host list.* Received: n\[a-b\]$"),
        ("slurm", STEP | {"SLURM_STEP_NODELIST": "n1"}, None, r"Received: 1 nodes, and numbers of tasks for 2$"),
        ("slurm", STEP | {"SLURM_PROCID": "1"}, None, r"block does. Received: task 1 of 3 on gpu10:20048$"),
        ("slurm", STEP | {"SLURM_PROCID": "3"}, None, r"block does. Received: task 3 of 3 on gpu10:20048$"),
        ("kubernetes", POD, None, r"^--from=kubernetes needs --workers=N, as many as the Job has completions$"),
        (
            "kubernetes",
            {"HOSTNAME": "a-1"},
            2,
            r"expected a pod of an indexed Job. Received: JOB_COMPLETION_INDEX=none",
        ),
        ("kubernetes", POD | {"HOSTNAME": "a1"}, 2, r"expected a host name that ends with -1. Received: a1$"),
        ("kubernetes", POD, 1, r"^--workers=1: expected as many as the Job has completions. Received: pod 1$"),
    ],
)
def test_other_environments_are_refused(scheduler, environment, workers, said):
    with pytest.raises(UserError, match=said):
        tf_config(scheduler, environment, workers=workers)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--from=slurm", "--workers=2", "--", "x"], r"^--workers: slurm decides on it. Received: --from=slurm$"),
        (["--from=slurm", "--restarts=2", "--", "x"], r"^--restarts: slurm decides on it"),
        (["--from=kubernetes", "--workers=2", "--cores=0", "--", "x"], r"^--cores: kubernetes decides on it"),
        (["--from=kubernetes", "--workers=0", "--", "x"], r"^--workers must be 1 or more. Received: 0$"),
        (["--from=slurm", "--port=70000", "--", "x"], r"^--port must be from 1 to 65535. Received: 70000$"),
        (["--workers=2", "--port=7000", "--", "x"], r"^--port is for --from=NAME"),
        (["--from=pbs", "--", "x"], r"invalid choice: 'pbs'"),
        (["--from=slurm"], r"^expected -- and the command to run in each worker"),
    ],
)
def test_wrong_use_is_said_in_a_line(argv, said):
    with pytest.raises(UserError, match=said):
        command.main(argv)


def test_the_process_becomes_its_command(tmp_path: Path):
    code = "import os, sys; print(os.getpid(), os.environ.get('TF_CONFIG')); sys.exit(75)"
    flags = ["--from=kubernetes", "--workers=2", "--port=3000", "--", "python", "-c", code]
    process = subprocess.Popen(
        [sys.executable, "-m", "bert_tf.launch", *flags], cwd=REPOSITORY, env={**POD, "PATH": ""}, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    output, _ = process.communicate(timeout=60)
    pid, _, cluster = output.partition(" ")
    assert (int(pid), process.returncode) == (process.pid, 75)
    assert cluster.strip() == tf_config("kubernetes", POD, workers=2, port=3000)
    flags = ["--from=kubernetes", "--workers=2", "--", str(tmp_path / "none")]
    done = subprocess.run([sys.executable, "-m", "bert_tf.launch", *flags], cwd=REPOSITORY, env=POD, text=True,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"python -m bert_tf.launch: error: {tmp_path / 'none'} cannot be started: " \
                          "No such file or directory\n"  # fmt: skip
