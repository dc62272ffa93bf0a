"""TF_CONFIG, read and checked: which processes there are, and which of them this one is. Needs no TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bert_tf.errors import UserError

JOBS = ("chief", "worker", "ps")
EXAMPLE = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
LONGEST_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The processes of a run.

    Args:
        jobs: job -> addresses, host:port.
        job, index: this process, one of them.

    >>> read_cluster('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}').rank
    1
    """

    jobs: Mapping[str, tuple[str, ...]]
    job: str
    index: int

    @property
    def workers(self) -> tuple[str, ...]:
        """Addresses of those that train, by rank: the chief first, if one is named."""
        return tuple(address for job in ("chief", "worker") for address in self.jobs.get(job, ()))

    @property
    def rank(self) -> int:
        """This process's number among `workers`. One that only holds parameters has none: -1."""
        if self.job == "ps":
            return -1
        return self.index + (len(self.jobs.get("chief", ())) if self.job == "worker" else 0)

    @property
    def address(self) -> str:
        """This process's own."""
        return self.jobs[self.job][self.index]

    @property
    def has_servers(self) -> bool:
        """Whether some processes only hold parameters."""
        return bool(self.jobs.get("ps"))


def read_cluster(text: str) -> Cluster | None:
    """What the environment's TF_CONFIG says; None where it is empty.

    Raises: UserError, a line, for anything that is no cluster with this process in it.
    """
    if not text.strip():
        return None
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not isinstance(config.get("cluster"), dict):
        raise _error(f"expected a JSON object with `cluster` and `task`, such as {EXAMPLE}", text)
    jobs = {job: _addresses(job, addresses) for job, addresses in config["cluster"].items() if job != "evaluator"}
    _check_jobs(jobs, text)
    job, index = _task(config.get("task"), jobs, text)
    return Cluster(jobs=jobs, job=job, index=index)


def _addresses(job: str, value: Any) -> tuple[str, ...]:
    if job == "master":
        raise _error("a cluster's first process is called `chief`, and trains as the others do", "master")
    if job not in JOBS:
        raise _error(f"a cluster has the jobs {', '.join(JOBS)}", job)
    if not isinstance(value, list) or not value:
        raise _error(f"`cluster.{job}` must be a list of addresses, host:port", value)
    for address in value:
        host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
        if not host or "/" in host or not (port.isascii() and port.isdigit()) or not 0 < int(port[:6]) < 65536:
            raise _error(f"`cluster.{job}` must be a list of addresses, host:port, with a port up to 65535", address)
    return tuple(value)


def _check_jobs(jobs: Mapping[str, tuple[str, ...]], text: str) -> None:
    every = [address for addresses in jobs.values() for address in addresses]
    if len(set(every)) < len(every):
        raise _error("each process needs an address of its own", next(a for a in every if every.count(a) > 1))
    if len(jobs.get("chief", ())) > 1:
        raise _error("there can be one chief", len(jobs["chief"]))
    if not jobs.get("chief") and not jobs.get("worker"):
        raise _error("expected a `worker` in `cluster`", text)


def _task(task: Any, jobs: Mapping[str, tuple[str, ...]], text: str) -> tuple[str, int]:
    if not isinstance(task, dict) or "type" not in task or "index" not in task:
        raise _error("`task` must say which process this is, by `type` and `index`", text)
    job, index = task["type"], task["index"]
    if job == "evaluator":
        raise _error("there is no `evaluator` here: those that train evaluate, too", job)
    if job == "master":
        raise _error("a cluster's first process is called `chief`", job)
    if not isinstance(job, str) or job not in jobs:
        raise _error(f"`task.type` must be one of the cluster's jobs, {', '.join(jobs)}", job)
    if isinstance(index, str) and index.isascii() and index.isdigit():  # as some schedulers fill it in
        index = int(index[:9])
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(jobs[job]):
        last = len(jobs[job]) - 1
        raise _error(f"`task.index` must be {'0' if last == 0 else f'from 0 to {last}'}, for a {job} here", index)
    return job, index


def _error(rule: str, received: Any) -> UserError:
    shown = received if isinstance(received, str) else json.dumps(received)
    return UserError(f"TF_CONFIG: {rule}. Received: {shown[:LONGEST_SHOWN]}{'...' * (len(shown) > LONGEST_SHOWN)}")
