"""export/cluster, the manifest for Kubernetes and the batch script for Slurm: valid, and what they start ends well."""

from __future__ import annotations

import copy
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bert_tf.errors import RUN_AGAIN
from bert_tf.launch.command import WRONG_USE
from bert_tf.launch.schedulers import tf_config
from bert_tf.training.workers.cluster import read_cluster
from tests.conftest import REPOSITORY
from tests.launch.test_trained import SETTINGS
from tests.training.conftest import assert_same_weights, result, weights
from tests.training.tiny_run import make_backbone, make_data

CLUSTER = REPOSITORY / "export" / "cluster"
SERVICE, JOB = yaml.safe_load_all((CLUSTER / "kubernetes.yaml").read_text())
POD = JOB["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
VERSIONS = ("1.31", kubernetes_validate.latest_version())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manifest_is_valid(version):
    for resource in (SERVICE, JOB):
        kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "completions"), "2"),
        (("spec", "podFailurePolicy", "rules", 0, "onExitCodes", "values"), ["75"]),
        (("spec", "template", "spec", "restartPolicies"), "Never"),
    ],
)
def test_the_validator_sees_mistakes(path, value):
    job = copy.deepcopy(JOB)
    place = job
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, VERSIONS[0], strict=True)


def test_what_stands_in_several_places_of_the_manifest_agrees():
    spec, name = JOB["spec"], JOB["metadata"]["name"]
    assert SERVICE["metadata"]["name"] == POD["subdomain"] == SERVICE["spec"]["selector"]["job-name"] == name
    assert SERVICE["spec"]["clusterIP"] == "None"
    assert spec["completions"] == spec["parallelism"] == int(flags()["--workers"])
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {volume["name"] for volume in POD["volumes"]}
    assert POD["restartPolicy"] == "Never"  # which rules for failed pods need
    actions = {}
    for rule in spec["podFailurePolicy"]["rules"]:
        if "onExitCodes" in rule:
            assert rule["onExitCodes"]["containerName"] == CONTAINER["name"]
            actions |= dict.fromkeys(rule["onExitCodes"]["values"], rule["action"])
    assert actions == {WRONG_USE: "FailJob", RUN_AGAIN: "Ignore"}


def flags() -> dict[str, str]:
    """Those that the manifest gives to `bert_tf.launch`."""
    given = CONTAINER["command"]
    assert given[:3] == ["python", "-m", "bert_tf.launch"]
    assert given[-1] == "--"
    return {name: value for name, _, value in (flag.partition("=") for flag in given[3:-1])}


def test_each_pod_finds_the_others_by_the_names_that_the_service_gives_them():
    for index in range(JOB["spec"]["completions"]):
        environment = {"JOB_COMPLETION_INDEX": str(index), "HOSTNAME": f"{JOB['metadata']['name']}-{index}"}
        found = read_cluster(tf_config(flags()["--from"], environment, workers=int(flags()["--workers"])) or "")
        assert found is not None
        assert found.rank == index
        service = SERVICE["metadata"]["name"]
        wanted = [f"{JOB['metadata']['name']}-{i}.{service}" for i in range(JOB["spec"]["completions"])]
        assert [address.rpartition(":")[0] for address in found.workers] == wanted


def test_the_batch_script_is_sound():
    script = CLUSTER / "slurm.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert shellcheck is not None
    found = subprocess.run([shellcheck, str(script)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With data, a backbone, and programs by the names of Slurm's."""
    folder = tmp_path_factory.mktemp("cluster")
    make_data(folder / "data")
    make_backbone(folder / "backbone")
    programs = folder / "bin"
    programs.mkdir()
    for name, content in (
        ("python", f'#!/bin/sh\nexec {sys.executable} "$@"\n'),
        ("srun", f"#!{sys.executable}\n{SRUN}"),
        ("scontrol", '#!/bin/sh\necho "$@" >> "$SCONTROL_LOG"\n'),
    ):
        (programs / name).write_text(content)
        (programs / name).chmod(0o755)
    return folder


SRUN = '''
"""Two tasks on one node, told of each other as Slurm does; the status is the highest of theirs."""
import os, signal, subprocess, sys

command = sys.argv[1:]
while command[0].startswith("--"):
    del command[0]
step = {"SLURM_STEP_NODELIST": "localhost", "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_STEP_NUM_TASKS": "2",
        "SLURMD_NODENAME": "localhost"}
tasks = [
    subprocess.Popen(command, start_new_session=True,
                     env={**os.environ, **step, "SLURM_PROCID": str(i), "SLURM_LOCALID": str(i)})
    for i in range(2)
]
signal.signal(signal.SIGTERM, lambda *_: [task.send_signal(signal.SIGTERM) for task in tasks])
sys.exit(max(task.wait() if task.wait() >= 0 else 128 - task.wait() for task in tasks))
'''


def of_train(folder: Path, name: str) -> list[str]:
    return ["--task=sst2", f"--data={folder / 'data'}", f"--backbone={folder / 'backbone'}", f"--run={folder / name}",
            "--set", *SETTINGS]  # fmt: skip


def environment(more: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(REPOSITORY),
        **more,
    }


def wait_for_a_checkpoint(run: Path, process: subprocess.Popen[str], *, seconds: float = 300.0) -> None:
    began = time.monotonic()
    while not list(run.glob("checkpoints/ckpt-*/about.json")):
        assert process.poll() is None
        assert time.monotonic() < began + seconds
        time.sleep(0.05)


def batch(folder: Path, name: str, **more: str) -> subprocess.Popen[str]:
    """The batch script, as a job of Slurm's."""
    job = {"SLURM_JOB_ID": "77", "SLURM_CPUS_PER_TASK": "1", "SCONTROL_LOG": str(folder / f"{name}.scontrol"),
           "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **more}  # fmt: skip
    return subprocess.Popen(
        ["bash", str(CLUSTER / "slurm.sh"), *of_train(folder, name)], env=environment(job), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.slow
def test_the_batch_script_trains_and_queues_itself_again_when_it_is_to_end(folder: Path):
    through = batch(folder, "through")
    output, _ = through.communicate(timeout=600)
    assert through.returncode == 0, output[-3000:]
    assert not (folder / "through.scontrol").exists()
    found = result(folder, "through")
    assert (found["strategy"], found["replicas"]) == ("multi_worker", 2)

    stopped = batch(folder, "stopped")
    wait_for_a_checkpoint(folder / "stopped", stopped)
    os.killpg(stopped.pid, signal.SIGTERM)
    output, _ = stopped.communicate(timeout=600)
    assert stopped.returncode == RUN_AGAIN, output[-3000:]
    assert (folder / "stopped.scontrol").read_text() == "requeue 77\n"
    assert not (folder / "stopped" / "result.json").exists()
    again = batch(folder, "stopped", SLURM_RESTART_COUNT="1")
    output, _ = again.communicate(timeout=600)
    assert again.returncode == 0, output[-3000:]
    assert "resuming from step" in output
    assert_same_weights(weights(folder, "stopped"), weights(folder, "through"))


@pytest.mark.parametrize(
    ("status", "restarts", "is_queued"),
    [(0, 0, False), (2, 0, False), (1, 0, False), (75, 0, True), (75, 49, True), (75, 50, False), (137, 3, True)],
)
def test_which_statuses_are_queued_again(tmp_path: Path, status: int, restarts: int, is_queued: bool):
    for name, content in (("srun", f"exit {status}"), ("scontrol", f'echo "$@" > {tmp_path / "log"}')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{content}\n")
        (tmp_path / name).chmod(0o755)
    job = {"SLURM_JOB_ID": "5", "SLURM_RESTART_COUNT": str(restarts), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", str(CLUSTER / "slurm.sh")], env=job, check=False)
    assert done.returncode == status
    assert (tmp_path / "log").exists() == is_queued
    assert not is_queued or (tmp_path / "log").read_text() == "requeue 5\n"


PODS = """
set -e
mount --bind "$1" /etc/hosts
shift
ip link set lo up
unshare --net sleep 1000 & other=$!
trap 'kill $other' EXIT
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
in_other="nsenter --net=/proc/$other/ns/net"
ip link add name pod0 type veth peer name pod1 netns $other
ip addr add 10.9.0.1/24 dev pod0
ip link set pod0 up
$in_other ip addr add 10.9.0.2/24 dev pod1
$in_other ip link set pod1 up
export JOB_COMPLETION_INDEX=0 HOSTNAME=bert-train-0
"$@" & first=$!
export JOB_COMPLETION_INDEX=1 HOSTNAME=bert-train-1
$in_other unshare --mount sh -c 'mount -t tmpfs none /dev/shm && exec "$@"' sh "$@" & second=$!
set +e
echo pids $first $second
wait $first
echo status $?
wait $second
echo status $?
"""
"""Two pods: a network each, connected as pods are; memory that they do not share; names that a Service gives them."""
NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c"]


@pytest.fixture
def pods(folder: Path) -> Iterator[Any]:
    """Starts the manifest's command in two pods, with other arguments for `train`."""
    if not (shutil.which("unshare") and shutil.which("ip") and shutil.which("nsenter")):
        pytest.skip("makes networks of its own, with Linux's unshare, nsenter and ip")
    trial = [*NAMESPACES, "mount --bind /etc/hosts /etc/hosts && ip link add name a1 type veth peer name b1"]
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("this user may not make networks of its own")
    (folder / "hosts").write_text(
        "127.0.0.1 localhost\n10.9.0.1 bert-train-0.bert-train\n10.9.0.2 bert-train-1.bert-train\n"
    )
    started: list[subprocess.Popen[str]] = []

    def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
        command = [sys.executable, *CONTAINER["command"][1:], CONTAINER["args"][0], *arguments]
        started.append(
            subprocess.Popen(
                [*NAMESPACES, PODS, "sh", str(folder / "hosts"), *command], env=environment({}), cwd=REPOSITORY,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.mark.slow
def test_the_manifests_command_trains_in_two_pods_and_both_end_to_be_run_again(folder: Path, pods: Any):
    through = pods(of_train(folder, "through_pods"))
    output, _ = through.communicate(timeout=600)
    assert statuses(output) == [0, 0], output[-3000:]
    found = result(folder, "through_pods")
    assert (found["strategy"], found["replicas"], found["gradient_sum"]) == ("multi_worker", 2, "float32")

    stopped = pods(of_train(folder, "stopped_pods"))
    lines = [next(line for line in stopped.stdout if line.startswith("pids "))]
    wait_for_a_checkpoint(folder / "stopped_pods", stopped)
    os.kill(int(lines[0].split()[2]), signal.SIGTERM)  # one of them is to go, as when its node is drained
    output, _ = stopped.communicate(timeout=600)
    assert statuses(output) == [RUN_AGAIN, RUN_AGAIN], output[-3000:]
    assert not (folder / "stopped_pods" / "result.json").exists()
    output, _ = pods(of_train(folder, "stopped_pods")).communicate(timeout=600)
    assert statuses(output) == [0, 0], output[-3000:]
    assert "resuming from step" in output
    assert_same_weights(weights(folder, "stopped_pods"), weights(folder, "through_pods"))


def statuses(output: str) -> list[int]:
    return [int(line.split()[1]) for line in output.splitlines() if line.startswith("status ")]
