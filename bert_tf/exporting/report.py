"""The report beside every artefact: what it weighs, how fast it is, and what became of the answers."""

from __future__ import annotations

import math
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.exporting.agreement import agreement
from bert_tf.exporting.artefact import Loaded
from bert_tf.exporting.definitions import REPORT
from bert_tf.exporting.run import Run
from bert_tf.machine.cores import cores
from bert_tf.metrics.bleu import NAMES as TRANSLATION
from bert_tf.metrics.rouge import NAMES as ROUGE
from bert_tf.metrics.undefined import as_json
from bert_tf.weights.files import write_json

TABLE = "export_report.md"
CPU_INFO = Path("/proc/cpuinfo")  # of Linux
BATCHES, TOKENS = (1, 32), (16, 128)
IN_POINTS = (*ROUGE, *TRANSLATION)  # metrics that are 0 to 100; the others are 0 to 1
SECONDS, CALLS = 1.0, (3, 50)  # how long a shape is timed, and the fewest and most calls


def make_report(
    run: Run,
    name: str,
    models: Sequence[Loaded],
    *,
    tolerance: float,
    timed: bool,
    beside: Mapping[str, Sequence[Loaded]] | None = None,
) -> dict[str, Any]:
    """Answers the run's examples with each of `models`, and times them.

    Args:
        name: of the format.
        tolerance: how many points, of 100, a model's main metric may be worse than the run's.
        timed: whether to time, which takes up to 4 seconds a model, and more for a slow one.
        beside: models of other exports of the run, by their folders, to be timed in turns with these.
    """
    versions = {name: _version(name) for name in ("tensorflow", "tensorflow-text", "keras")}
    own: dict[str, Any] = {"metrics": run.metrics, "latency_ms": []}
    of_models = [_of_model(run, model) for model in models]
    others = [(f"{place}: {model.name}", model) for place, few in (beside or {}).items() for model in few]
    of_others = [{**_facts(model), "name": shown, "latency_ms": []} for shown, model in others]
    if timed:
        latencies_of_all = _latencies(run, [*models, *(model for _, model in others)])
        for described, latencies in zip((own, *of_models, *of_others), latencies_of_all, strict=True):
            described["latency_ms"] = latencies
    return {
        "format": name,
        "task": run.config.task,
        "kind": type(run.kind).__name__,
        "data": run.data,
        "split": run.split,
        "examples": len(run.examples),
        "metric": run.kind.answer_metric[0],
        "tolerance_points": tolerance,
        "sequence_length": run.sequence_length,
        "machine": machine(),
        "versions": {"bert_tf": _own_version(), **versions},
        "run": own,
        "models": of_models,
        "beside": of_others,
    }


def check_report(report: dict[str, Any]) -> None:
    """Raises: UserError that names the models whose metric is worse than the tolerance allows."""
    limit = report["tolerance_points"]
    worse = [model for model in report["models"] if not model["drop_points"] <= limit]
    if worse:
        metric, before = report["metric"], report["run"]["metrics"][report["metric"]]
        found = "; ".join(
            f"{model['name']} {model['metrics'][metric]:.4f}, {model['drop_points']:.2f} points worse"
            for model in worse
        )
        raise UserError(
            f"refused, nothing is written: --tolerance={limit:g} lets {metric} be that many points worse than the "
            f"run's {before:.4f} on {report['examples']} examples. Received: {found}"
        )


def write_report(report: dict[str, Any], folder: Path) -> None:
    """Writes both forms of it."""
    parts = [{**part, "metrics": as_json(part["metrics"])} for part in (report["run"], *report["models"])]
    write_json(folder / REPORT, {**report, "run": parts[0], "models": parts[1:]})
    (folder / TABLE).write_text(as_table(report), encoding="utf-8")


def as_table(report: dict[str, Any]) -> str:
    """The report in Markdown."""
    metric = report["metric"]
    names = ["", "takes", "MB", metric, "points lost", "same answers", "largest difference"]
    vectors = any("mean_cosine" in model["agreement"] for model in report["models"])
    names += ["mean cosine"] if vectors else []
    shapes = _shapes(report["sequence_length"])
    names += [f"ms, {batch} x {tokens} tokens" for batch, tokens in shapes]
    rows = [["the run", "text", "", f"{report['run']['metrics'][metric]:.4f}", "", "", "", *([""] if vectors else [])]]
    rows[0] += _times(report["run"]["latency_ms"], shapes)
    for model in report["models"]:
        found = model["agreement"]
        rows.append([
            model["name"], model["takes"], f"{model['bytes'] / 1e6:.1f}", f"{model['metrics'][metric]:.4f}",
            f"{model['drop_points']:.2f}", f"{100 * found['same_answers']:.2f} %", f"{found['largest_difference']:.1e}",
            *([f"{found['mean_cosine']:.6f}"] if vectors else []), *_times(model["latency_ms"], shapes),
        ])  # fmt: skip
    for other in report["beside"]:
        cells = [other["name"], other["takes"], f"{other['bytes'] / 1e6:.1f}"]
        rows.append([*cells, *[""] * (len(names) - len(shapes) - len(cells)), *_times(other["latency_ms"], shapes)])
    machine = report["machine"]
    lines = [
        f"# {report['format']} of {report['task']}",
        "",
        f"{report['kind']}, {report['sequence_length']} tokens at most. On {report['examples']} examples "
        f"({report['split']} of {report['data']}); at most {report['tolerance_points']:g} points of {metric} may be "
        f"lost. Times are medians of calls taken in turns on {machine['cores']} cores "
        f"({machine['processor']}), with the tokenizer where a model takes text.",
        "",
        *_markdown(names, rows),
    ]
    return "\n".join(lines) + "\n"


def _of_model(run: Run, model: Loaded) -> dict[str, Any]:
    rows = model.rows(*run.examples.columns)
    metrics = run.kind.measure_answers(rows, run.examples)
    metric, more_is_better = run.kind.answer_metric
    lost = run.metrics[metric] - metrics[metric]
    lost = lost if more_is_better else -lost
    if math.isnan(run.metrics[metric]):  # the run's own score is undefined: there is nothing to lose
        lost = 0.0
    return {
        **_facts(model),
        "metrics": metrics,
        "drop_points": lost * (1 if metric in IN_POINTS else 100),
        "agreement": agreement(run.kind, run.examples, run.rows, rows),
        "latency_ms": [],
        **model.notes(),
    }


def _facts(model: Loaded) -> dict[str, Any]:
    return {
        "name": model.name,
        "files": [file.name for file in model.files],
        "bytes": sum(_size(file) for file in model.files),
        "takes": model.takes,
    }


def _latencies(run: Run, models: Sequence[Loaded]) -> Iterator[list[dict[str, Any]]]:
    """Of the run and each of the models, timed in turns, since a machine is not equally fast from minute to minute."""
    makers = [lambda batch, tokens: run.pipeline.call(*run.probe(batch, tokens)), *(model.call for model in models)]
    found: list[list[dict[str, Any]]] = [[] for _ in makers]
    for batch, tokens in _shapes(run.sequence_length):
        calls = [make(batch, tokens) for make in makers]
        for of_model, times in zip(found, _timed(calls), strict=True):
            median = 1000 * statistics.median(times) if times else None
            of_model.append({"batch": batch, "tokens": tokens, "ms": median, "calls": len(times)})
    return iter(found)


def _timed(calls: Sequence[Callable[[], object] | None]) -> list[list[float]]:
    """Seconds of each call, in rounds, after one that is not counted."""
    times: list[list[float]] = [[] for _ in calls]
    spent, rounds = 0.0, 0
    while rounds <= CALLS[0] or (spent < SECONDS * len(calls) and rounds <= CALLS[1]):
        for call, mine in zip(calls, times, strict=True):
            if call is not None:
                started = time.perf_counter()
                call()
                mine.append(time.perf_counter() - started)
        spent, rounds = spent + sum(mine[-1] for mine in times if mine), rounds + 1
    return [mine[1:] for mine in times]


def _shapes(sequence_length: int) -> list[tuple[int, int]]:
    """What is timed: examples of few and of many tokens, of which none is longer than those of the task."""
    lengths = sorted({min(tokens, sequence_length) for tokens in TOKENS})
    return [(batch, tokens) for batch in BATCHES for tokens in lengths]


def _times(latencies: list[dict[str, Any]], shapes: Sequence[tuple[int, int]]) -> list[str]:
    found = {(item["batch"], item["tokens"]): item["ms"] for item in latencies}
    return ["" if found.get(shape) is None else f"{found[shape]:.1f}" for shape in shapes]


def _markdown(names: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in (names, *rows)) for i in range(len(names))]
    lines = [names, ["-" * width for width in widths], *rows]
    padded = (" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return [f"| {line} |" for line in padded]


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not a package"


def _own_version() -> str:
    from bert_tf import __version__

    return __version__


def machine() -> dict[str, Any]:
    """The processor's name, and how many of its cores this process may use."""
    return {"processor": _processor(), "cores": cores()}


def _processor() -> str:
    try:
        lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
