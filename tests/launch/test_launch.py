"""Workers started, followed and ended together: small commands stand for trainings here."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bert_tf.errors import RUN_AGAIN, UserError
from bert_tf.launch import command, workers
from bert_tf.launch.workers import Failed, run_workers
from bert_tf.training.workers.cluster import read_cluster
from tests.conftest import REPOSITORY

SHARED_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def python(code: str) -> list[str]:
    """A worker whose number is `n`."""
    begin = "import json, os, signal, sys, time; n = json.loads(os.environ['TF_CONFIG'])['task']['index']\n"
    return [sys.executable, "-c", begin + code]


def test_each_knows_the_others_and_has_its_cores(capfd):
    code = "print(json.dumps([os.environ['TF_CONFIG'], sorted(os.sched_getaffinity(0))]), file=sys.stderr)"
    assert run_workers(python(code), workers=2) == 0
    said = dict(re.findall(r"^\[(\d)\] (.*)$", capfd.readouterr().err, re.MULTILINE))
    clusters = [read_cluster(json.loads(said[number])[0]) for number in ("0", "1")]
    assert [each and each.rank for each in clusters] == [0, 1]
    assert clusters[0] is not None
    assert clusters[1] is not None
    assert clusters[0].workers == clusters[1].workers
    cores = [json.loads(said[number])[1] for number in ("0", "1")]
    wanted = [SHARED_CORES] * 2
    if len(SHARED_CORES) > 1:
        wanted = [SHARED_CORES[: len(SHARED_CORES) // 2], SHARED_CORES[len(SHARED_CORES) // 2 :]]
    assert cores == wanted
    assert sorted(os.sched_getaffinity(0)) == SHARED_CORES, "this process has its own again"


def test_the_first_ones_result_is_the_result_and_the_rest_is_numbered(capfd):
    assert run_workers(python("print('result', n); print('log', n, file=sys.stderr)"), workers=2) == 0
    said = capfd.readouterr()
    assert said.out == "result 0\n"
    assert sorted(said.err.splitlines()) == ["[0] log 0", "[1] log 1", "[1] result 1"]


def test_a_lone_worker_has_no_cluster(capfd, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    code = "import os; print(os.environ.get('TF_CONFIG'))"
    assert run_workers([sys.executable, "-c", code], workers=1) == 0
    assert capfd.readouterr().out == "None\n"


def test_when_one_fails_all_are_ended_and_it_is_named_with_its_last_lines(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0.3)
    began = time.monotonic()
    code = "n or time.sleep(60)\nfor i in range(9): print('line', i, file=sys.stderr)\nsys.exit(3)"
    found = run_workers(python(code), workers=2)
    assert found == Failed(worker=1, status=3, lines=tuple(f"line {i}" for i in range(4, 9)))
    assert isinstance(found, Failed)
    assert found.message.startswith("worker 1 ended with status 3. Its last lines:\n  line 4\n")
    assert time.monotonic() - began < 20


def test_one_that_ends_because_another_did_is_not_the_one_named():
    code = f"n or sys.exit({RUN_AGAIN})\ntime.sleep(0.5)\nos.kill(os.getpid(), signal.SIGKILL)"
    found = run_workers(python(code), workers=2)
    assert found == Failed(worker=1, status=137, lines=())
    assert isinstance(found, Failed)
    assert found.message == "worker 1 was ended by SIGKILL"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks Linux which processes there are")
def test_children_of_a_worker_do_not_outlive_it(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0.1)
    code = f"""import subprocess
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
open({str(tmp_path)!r} + f'/{{n}}', 'w').write(str(child.pid))
sys.exit(n)"""
    assert isinstance(run_workers(python(code), workers=2), Failed)
    for number in range(2):
        assert is_over(int((tmp_path / str(number)).read_text()))


def is_over(pid: int) -> bool:
    """Whether a process has ended, or does within some seconds."""
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_signal_reaches_each_worker_once(number, status):
    code = """
def asked(number, frame):
    print('asked', number, file=sys.stderr, flush=True)
    time.sleep(0.3)
    sys.exit({2: 130, 15: 75}[number])
signal.signal(signal.SIGINT, asked); signal.signal(signal.SIGTERM, asked)
print('ready', file=sys.stderr, flush=True)
time.sleep(60)"""
    process = subprocess.Popen(
        [sys.executable, "-m", "bert_tf.launch", "--workers=2", "--restarts=5", "--", *python(code)],
        cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(2)]
    assert sorted(lines) == ["[0] ready\n", "[1] ready\n"]
    os.killpg(process.pid, number)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == status
    assert sorted(rest.splitlines()) == [f"[{n}] asked {int(number)}" for n in range(2)]


def test_all_are_started_again_as_often_as_asked(tmp_path, capfd):
    code = f"""import pathlib
file = pathlib.Path({str(tmp_path)!r}, str(n)); tries = len(file.read_text()) if file.exists() else 0
file.write_text('x' * (tries + 1))
sys.exit(1 if n and tries < 2 else 0)"""
    asked = ["--workers=2", "--", *python(code)]
    assert command.main(["--restarts=1", *asked]) == 1
    assert "starting all 2 workers again, 0 more times if need be" in capfd.readouterr().err
    assert command.main(["--restarts=1", *asked]) == 0
    assert [(tmp_path / str(n)).read_text() for n in range(2)] == ["xxx", "xxx"]


def test_what_a_user_has_done_wrong_is_not_tried_again(capfd):
    assert command.main(["--workers=2", "--restarts=9", "--", *python("sys.exit(2)")]) == 2
    assert "again" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--", "train"], r"^--workers must be 1 or more. Received: None$"),
        (["--workers=0", "--", "train"], r"^--workers must be 1 or more. Received: 0$"),
        (["--workers=2", "--restarts=-1", "--", "train"], r"^--restarts must be 0 or more. Received: -1$"),
        (["--workers=2", "--"], r"^expected -- and the command to run in each worker, such as -- train"),
        (["--workers=2"], r"^expected -- and the command to run in each worker"),
        (["--workers=2", "train"], r"^unrecognized arguments: train"),
        (["--wrokers=2", "--", "train"], r"^unrecognized arguments: --wrokers=2. Did you mean '--workers'\?"),
        (["--workers=2", "--cores=a", "--", "train"], r"^--cores: expected numbers such as 0-3,8. Received: a$"),
        (["--workers=2", "--cores=9999", "--", "true"], r"^--cores: expected some of \[.*\], which .* Received: 9999$"),
        (["--workers=2", "--", "/none/such"], r"^/none/such cannot be started: No such file or directory$"),
    ],
)
def test_wrong_use_is_said_in_a_line(argv, said):
    with pytest.raises(UserError, match=said):
        command.main(argv)


def test_a_command_of_ours_needs_no_more_than_its_name():
    assert command._command(["train", "--task=sst2"]) == [sys.executable, "-m", "bert_tf.train", "--task=sst2"]
    assert command._command(["python", "-m", "x"]) == [sys.executable, "-m", "x"]
    assert command._command(["./own.sh"]) == ["./own.sh"]
    assert command._cores("0-2,7") == [0, 1, 2, 7]


def test_no_tensorflow_is_loaded():
    code = "import sys; from bert_tf.launch import main; main(['--workers=1', '--', 'true'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "numpy"} & set(done.stdout.split())
