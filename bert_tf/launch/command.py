"""Train with several workers: python -m bert_tf.launch --workers=2 -- python -m bert_tf.train ...

Each worker has its share of the cores and is told of the others by TF_CONFIG. What they write is shown with the number
of the worker before each line. When one fails all are ended, and the status is that worker's; Ctrl-C and SIGTERM are
passed on to all. With --restarts all are started again when one fails, and a training resumes from its checkpoint.

On many machines a scheduler starts the workers. --from=slurm or --from=kubernetes tells the one of this process who it
is, and becomes its command; export/cluster has a batch script and a manifest that do so.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from bert_tf.command_line import Parser, say
from bert_tf.errors import UserError
from bert_tf.launch.schedulers import KUBERNETES, SCHEDULERS, SLURM, tf_config
from bert_tf.launch.workers import Failed, cannot_start, run_workers

PROG = "python -m bert_tf.launch"
GROUPS = {
    "what is run": ("--workers", "--restarts"),
    "where": ("--cores", "--from"),
}
EXAMPLES = {
    "--workers=2 -- python -m bert_tf.train --task=sst2 --data=sample": "a worker for each half of the cores",
    "--workers=2 --restarts=3 -- train --task=sst2 --run=runs/sst2": "started again up to three times when one fails",
    "--from=slurm -- train --task=sst2 --run=/shared/runs/sst2": "one of a job's tasks, as srun starts them",
}
OWN_COMMAND = "train"
WRONG_USE = 2  # a status that a second try does not change


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--workers", metavar="N", type=int, help="how many processes; needed, but not in Slurm")
    parser.add_argument("--restarts", metavar="N", type=int, default=0,
                        help="how often all are started again when one fails; default: 0")  # fmt: skip
    parser.add_argument("--cores", metavar="LIST", help="which cores they share, such as 0-3,8; default: all")
    parser.add_argument("--from", metavar="NAME", dest="scheduler", choices=SCHEDULERS,
                        help=f"{SLURM} or {KUBERNETES}, which says which worker this is")  # fmt: skip
    parser.add_argument("--port", metavar="N", type=int, help="with --from: of the first worker on a machine; "
                        f"default: 2222 in {KUBERNETES}, by the job's number in {SLURM}")  # fmt: skip
    arguments = list(sys.argv[1:] if argv is None else argv)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    flags = parser.parse_args(arguments[:end])
    check_launch_flags(flags)
    command = _command(arguments[end + 1 :])
    if flags.scheduler is not None:
        _become(command, tf_config(flags.scheduler, os.environ, workers=flags.workers, port=flags.port))
    return _until_done(flags.workers, flags.restarts, _cores(flags.cores), command)


def check_launch_flags(flags: argparse.Namespace) -> None:
    """Raises: UserError for flags that do not go together, and numbers that cannot be."""
    if (flags.workers is None and flags.scheduler is None) or (flags.workers is not None and flags.workers < 1):
        raise UserError(f"--workers must be 1 or more. Received: {flags.workers}")
    if flags.restarts < 0:
        raise UserError(f"--restarts must be 0 or more. Received: {flags.restarts}")
    if flags.port is not None and not 0 < flags.port < 65_536:
        raise UserError(f"--port must be from 1 to 65535. Received: {flags.port}")
    if flags.scheduler is None and flags.port is not None:
        raise UserError("--port is for --from=NAME: on one machine free ports are found. Received: --port without it")
    wrong = {"--restarts": flags.restarts, "--cores": flags.cores, "--workers": flags.workers}
    if flags.scheduler == KUBERNETES:
        del wrong["--workers"]
    given = [name for name, value in wrong.items() if value]
    if flags.scheduler is not None and given:
        raise UserError(f"{given[0]}: {flags.scheduler} decides on it. Received: --from={flags.scheduler}")


def _become(command: list[str], cluster: str | None) -> NoReturn:
    """This process becomes the command, so that signals reach it and its status is this one's."""
    if cluster is not None:
        os.environ["TF_CONFIG"] = cluster
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise cannot_start(command[0], error) from None


def _until_done(workers: int, restarts: int, cores: Sequence[int] | None, command: Sequence[str]) -> int:
    """Runs the workers until they have ended well, or failed too often. Returns: the status."""
    for left in range(restarts, -1, -1):
        found = run_workers(command, workers=workers, cores=cores)
        if not isinstance(found, Failed):
            return found
        say(found.message)
        if left == 0 or found.status == WRONG_USE:
            return found.status
        say(f"starting all {workers} workers again, {left - 1} more times if need be")
    raise AssertionError


def _command(given: Sequence[str]) -> list[str]:
    """What each worker runs."""
    if not given:
        raise UserError("expected -- and the command to run in each worker, such as -- train --task=sst2")
    if given[0] == OWN_COMMAND:
        return [sys.executable, "-m", f"bert_tf.{OWN_COMMAND}", *given[1:]]
    return [sys.executable, *given[1:]] if given[0] == "python" else list(given)


def _cores(text: str | None) -> list[int] | None:
    if text is None:
        return None
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not (first.isdigit() and (last.isdigit() if dash else not last)):
            raise UserError(f"--cores: expected numbers such as 0-3,8. Received: {text}")
        found.extend(range(int(first), int(last or first) + 1))
    return sorted(set(found))
