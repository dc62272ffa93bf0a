"""Jobs that do not depend on one another, done by Apache Beam: here, or on Flink, Spark or Dataflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bert_tf.errors import UserError

DIRECT = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
"""Beam's runner within this process. The name DirectRunner may download another program first."""

Job = tuple[Callable[..., Any], tuple[Any, ...]]
Run = Callable[[str, Iterable[Job]], None]


def beam_runner(prog: str, flags: Sequence[str]) -> Run:
    """What runs jobs, each a function and its arguments; a name says what they do.

    Args:
        prog: the command, for messages.
        flags: those that are Beam's: --runner=..., or --direct_num_workers=4 --direct_running_mode=multi_processing.
    Raises: UserError if Beam is absent or does not know a flag.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise UserError(
            f"{prog} needs an optional package: pip install 'bert_tf[prepare]'. Received: {error}"
        ) from None
    asked = [flag for flag in flags if flag.startswith("--runner=")]
    rest = [flag for flag in flags if flag not in asked]
    is_direct = not asked or asked[-1].removeprefix("--runner=") in ("DirectRunner", "direct")
    known = PipelineOptions(rest).get_all_options(drop_default=True)
    names = {name.partition("=")[0].removeprefix("--").removeprefix("no_") for name in rest if name.startswith("--")}
    unknown = sorted(names - set(known) - set(PipelineOptions([]).get_all_options()))
    if unknown or any(not flag.startswith("-") for flag in rest[:1]):
        raise UserError(f"unrecognized arguments: {' '.join(rest)}; Beam does not know --{', --'.join(unknown)}")
    runner = DIRECT if is_direct else asked[-1].removeprefix("--runner=")

    def run(name: str, jobs: Iterable[Job]) -> None:
        jobs = list(jobs)
        if not jobs:
            return
        with beam.Pipeline(runner=runner, options=PipelineOptions(rest)) as pipeline:
            rows = pipeline | f"{name}: list" >> beam.Create(range(len(jobs)))
            _ = rows | f"{name}: spread" >> beam.Reshuffle() | f"{name}: do" >> beam.Map(_Do(jobs))

    return run


class _Do:
    """Does job number i; the jobs travel with it to the workers."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = list(jobs)

    def __call__(self, i: int) -> int:
        function, arguments = self.jobs[i]
        function(*arguments)
        return i
