"""Serve an export with what this machine has of the real thing, ask it, and compare with predict: make serve-check

    python -m benchmarks.serve_check [--run=runs/demo]

Without --run a small model with random weights is made. Whatever is started is asked over REST and gRPC by the example
clients of export/serving/. Each line says what was checked, or what was left out and why; the status is 1 where an
answer differs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
SERVING = REPOSITORY / "export" / "serving"
NAME = "checked"
TEXTS = ["A joy from start to end.", "", "Überraschend gut: 有趣 — naïve café", "Two hours I want back. " * 30]
SECONDS = 120  # until a server is ready


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="run folder of a task with one text; default: a small random model")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "models" / NAME
        run = flags.run or random_run(Path(folder) / "run")
        command = [sys.executable, "-m", "bert_tf.export", f"--run={run}", "--format=saved_model", f"--out={out}"]
        done = subprocess.run([*command, "--no-timing"], cwd=REPOSITORY, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            sys.exit(done.returncode)
        expected = predictions(run)
        results = [check(name, serve, out, expected) for name, serve in SERVERS.items()]
    sys.exit(0 if all(results) else 1)


def check(name: str, serve: Callable[[Path], Any], out: Path, expected: list[dict[str, Any]]) -> bool:
    """Starts one server and asks it; True where it agrees, or cannot be started here."""
    try:
        with serve(out) as (rest, grpc):
            for protocol, answers in (("REST", ask_rest(rest)), ("gRPC", ask_grpc(grpc))):
                if answers is None:
                    print(f"{name}, {protocol}: SKIPPED, tensorflow-serving-api is not installed")
                    continue
                difference = compare(expected, answers)
                if difference is None:
                    print(f"{name}, {protocol}: DIFFERS from predict: {answers} instead of {expected}")
                    return False
                print(f"{name}, {protocol}: {len(answers)} answers as predict gives them, scores to {difference:.1e}")
    except NotHereError as reason:
        print(f"{name}: SKIPPED, {reason}")
    return True


class NotHereError(Exception):
    """A server that this machine cannot start."""


@contextlib.contextmanager
def model_server(out: Path) -> Iterator[tuple[int, int]]:
    program = shutil.which("tensorflow_model_server")
    if program is None:
        raise NotHereError("tensorflow_model_server is not on PATH")
    rest, grpc = free_port(), free_port()
    command = [
        program, f"--port={grpc}", f"--rest_api_port={rest}", f"--model_name={NAME}", f"--model_base_path={out}",
        "--enable_batching=true", f"--batching_parameters_file={SERVING / 'batching_parameters.txt'}",
    ]  # fmt: skip
    with running(command, rest):
        yield rest, grpc


@contextlib.contextmanager
def docker(out: Path) -> Iterator[tuple[int, int]]:
    if shutil.which("docker") is None:
        raise NotHereError("docker is not on PATH")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise NotHereError("docker's daemon cannot be reached")
    rest, grpc = free_port(), free_port()
    compose = ["docker", "compose", "--project-name=bert-tf-serve-check", f"--file={SERVING / 'compose.yaml'}"]
    settings = {"MODEL_DIR": str(out), "MODEL_NAME": NAME, "REST_PORT": str(rest), "GRPC_PORT": str(grpc)}
    environment = os.environ | settings
    pulled = subprocess.run([*compose, "pull"], env=environment, capture_output=True, text=True, check=False)
    if pulled.returncode:
        raise NotHereError(f"the image cannot be had: {pulled.stderr.strip().splitlines()[-1]}")
    try:
        with running([*compose, "up"], rest, environment):
            yield rest, grpc
    finally:
        subprocess.run([*compose, "down"], env=environment, capture_output=True, check=False)


@contextlib.contextmanager
def c_api(out: Path) -> Iterator[tuple[int, int]]:
    rest, grpc = free_port(), free_port()
    newest = max(out.glob("[0-9]*"), key=lambda path: int(path.name))
    module = [sys.executable, "-m", "benchmarks.serving_host", str(newest)]
    with running([*module, f"--name={NAME}", f"--rest-port={rest}", f"--grpc-port={grpc}"], rest):
        yield rest, grpc


SERVERS: dict[str, Callable[[Path], Any]] = {
    "tensorflow_model_server": model_server,
    "docker compose": docker,
    "stand-in on TensorFlow's C API": c_api,
}


@contextlib.contextmanager
def running(command: list[str], rest: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A server while it is needed. Raises: RuntimeError with what it wrote if it does not get ready."""
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + SECONDS
            while not is_ready(rest):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"{command[0]} did not get ready:\n{log.read()[-3000:]}")
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            server.wait(30)


def is_ready(rest: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{rest}/v1/models/{NAME}") as response:
        return json.load(response)["model_version_status"][0]["state"] == "AVAILABLE"
    return False


def ask_rest(port: int) -> list[Any]:
    return load_client("rest_client").predict(f"127.0.0.1:{port}", NAME, TEXTS)


def ask_grpc(port: int) -> list[Any] | None:
    """In a process of its own, which needs TensorFlow for its messages."""
    if importlib.util.find_spec("tensorflow_serving") is None:
        return None
    column = json.dumps({input_name(): TEXTS})
    command = [sys.executable, SERVING / "grpc_client.py", f"--address=127.0.0.1:{port}", f"--model={NAME}"]
    done = subprocess.run([*command, f"--inputs={column}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(expected: list[dict[str, Any]], answers: list[Any]) -> float | None:
    """The largest difference of what both have and call the same, None where it is more than that."""
    largest, compared = 0.0, 0
    for mine, theirs in zip(expected, answers, strict=True):
        theirs = theirs if isinstance(theirs, dict) else {"vector": theirs}
        for name in mine.keys() & theirs.keys():
            one, other = numbers(mine[name]), numbers(theirs[name])
            compared += 1
            if one is None or other is None:
                if mine[name] != theirs[name]:
                    return None
                continue
            largest = max([largest, *(abs(a - b) for a, b in zip(one, other, strict=True))])
    return largest if compared and largest <= 1e-5 else None


def numbers(value: Any) -> list[float] | None:
    """The numbers of a number, a list or a dict of them; None for anything else."""
    values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return values if all(isinstance(item, int | float) for item in values) else None


def predictions(run: Path) -> list[dict[str, Any]]:
    """What predict says; its line of progress stays with it."""
    lines = "\n".join(json.dumps({input_name(run): text}) for text in TEXTS)
    command = [sys.executable, "-m", "bert_tf.predict", f"--run={run}", "--input=-", "--input-format=jsonl"]
    done = subprocess.run(command, cwd=REPOSITORY, input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [
        {name: value for name, value in json.loads(line).items() if name != "text"} for line in done.stdout.splitlines()
    ]


def input_name(run: Path | None = None) -> str:
    """The column of the run's one text; that of the run asked about last, without an argument."""
    from bert_tf.inference.runs import open_run

    if run is not None:
        COLUMN[:] = open_run(run).kind.text_columns
    if len(COLUMN) != 1:
        sys.exit(f"serve_check: --run: expected a task with one text. Received: one with {', '.join(COLUMN)}")
    return COLUMN[0]


COLUMN: list[str] = []


def load_client(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, SERVING / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def random_run(folder: Path) -> Path:
    """A run of SST-2 with random weights, 16 wide, whose words are those of the texts asked."""
    code = f"from benchmarks.random_run import make_run; make_run({str(folder)!r}, 'sst2')"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)
    return folder


if __name__ == "__main__":
    main()
