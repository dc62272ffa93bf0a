"""Which worker of a run a process is, as the scheduler that started it says, in the words of TF_CONFIG."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from bert_tf.errors import UserError

SCHEDULERS = SLURM, KUBERNETES = "slurm", "kubernetes"
POD_PORT = 2222  # each pod has an address of its own
FIRST_PORT, PORTS_OF_A_JOB, JOBS = 20_000, 16, 640
"""Jobs of Slurm may share a machine: each takes its ports by its number, below those that the system gives out."""
NODES = re.compile(r"((?:[^,\[\]]|\[[^\]]*\])+)(?:,|$)")
TASKS = re.compile(r"(\d+)(?:\(x(\d+)\))?(?:,|$)")


def tf_config(
    scheduler: str,
    environment: Mapping[str, str],
    *,
    workers: int | None = None,
    port: int | None = None,
) -> str | None:
    """What TF_CONFIG is to be; None for a process on its own.

    Of Slurm: a task of a step, which srun starts. Of Kubernetes: a pod of an indexed Job, with a headless Service of
    the Job's name, by which pods find each other: https://kubernetes.io/docs/tasks/job/job-with-pod-to-pod-communication

    Args:
        scheduler: one of `SCHEDULERS`.
        environment: the process's variables.
        workers: how many there are; Slurm says it itself.
        port: of the first worker of a machine; None: 2222 in a pod, found from the number of the job in Slurm.
    Raises: UserError where the environment is not one that the scheduler makes.

    >>> tf_config("kubernetes", {"JOB_COMPLETION_INDEX": "1", "HOSTNAME": "bert-1"}, workers=2)
    '{"cluster": {"worker": ["bert-0.bert:2222", "bert-1.bert:2222"]}, "task": {"type": "worker", "index": 1}}'
    """
    if scheduler == SLURM:
        addresses, index = _tasks(environment, port)
    else:
        addresses, index = _pods(environment, workers, port)
    if len(addresses) == 1:
        return None
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})


def _tasks(environment: Mapping[str, str], port: int | None) -> tuple[list[str], int]:
    """Addresses of the tasks of a step, by rank, and the own rank."""

    def said(name: str) -> str:
        return _said(SLURM, environment, name, "a task of a step, which srun starts")

    if port is None:
        port = FIRST_PORT + PORTS_OF_A_JOB * (int(said("SLURM_JOB_ID")) % JOBS)
    text, counts = said("SLURM_STEP_NODELIST"), _counts(said("SLURM_STEP_TASKS_PER_NODE"))
    try:
        nodes = list(hosts(text))
    except ValueError:
        raise UserError(f"--from={SLURM}: expected a host list in SLURM_STEP_NODELIST. Received: {text}") from None
    if len(nodes) != len(counts):
        came = f"{len(nodes)} nodes, and numbers of tasks for {len(counts)}"
        raise UserError(f"--from={SLURM}: expected as many in SLURM_STEP_TASKS_PER_NODE as nodes. Received: {came}")
    addresses = [f"{node}:{port + i}" for node, count in zip(nodes, counts, strict=True) for i in range(count)]
    rank, own = int(said("SLURM_PROCID")), f"{said('SLURMD_NODENAME')}:{port + int(said('SLURM_LOCALID'))}"
    if addresses[rank : rank + 1] != [own]:
        raise UserError(
            f"--from={SLURM}: expected tasks that are numbered node by node, as srun --distribution=block does. "
            f"Received: task {rank} of {len(addresses)} on {own}"
        )
    return addresses, rank


def hosts(text: str) -> Iterator[str]:
    """The names that a host list of Slurm stands for, as `scontrol show hostnames` writes them.

    >>> list(hosts("gpu[08-10,12],login,r[1-2]n[1-2]"))
    ['gpu08', 'gpu09', 'gpu10', 'gpu12', 'login', 'r1n1', 'r1n2', 'r2n1', 'r2n2']
    """
    for name in NODES.findall(text):
        before, bracket, rest = name.partition("[")
        if not bracket:
            yield before
            continue
        ranges, _, after = rest.partition("]")
        for part in ranges.split(","):
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield from (f"{before}{number:0{len(first)}d}{end}" for end in (hosts(after) if after else ("",)))


def _counts(text: str) -> list[int]:
    """Tasks of each node: 2(x3),1 is 2, 2, 2 and 1."""
    return [int(count) for count, times in TASKS.findall(text) for _ in range(int(times or 1))]


def _pods(environment: Mapping[str, str], workers: int | None, port: int | None) -> tuple[list[str], int]:
    """Addresses of the pods of an indexed Job, by index, and the own index."""

    def said(name: str) -> str:
        return _said(KUBERNETES, environment, name, "a pod of an indexed Job")

    if workers is None:
        raise UserError(f"--from={KUBERNETES} needs --workers=N, as many as the Job has completions")
    index, host = said("JOB_COMPLETION_INDEX"), said("HOSTNAME").partition(".")[0]
    job = host.removesuffix(f"-{index}")
    if job == host:
        raise UserError(f"--from={KUBERNETES}: expected a host name that ends with -{index}. Received: {host}")
    if int(index) >= workers:
        raise UserError(f"--workers={workers}: expected as many as the Job has completions. Received: pod {index}")
    return [f"{job}-{i}.{job}:{port or POD_PORT}" for i in range(workers)], int(index)


def _said(scheduler: str, environment: Mapping[str, str], name: str, expected: str) -> str:
    value = environment.get(name, "")
    is_number = name.endswith(("_ID", "_PROCID", "_LOCALID", "_INDEX"))
    if not value or (is_number and not (value.isascii() and value.isdigit())):
        raise UserError(f"--from={scheduler}: expected {expected}. Received: {name}={value or 'none'}")
    return value
