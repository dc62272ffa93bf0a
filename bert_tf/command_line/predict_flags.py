"""Which flags of `predict` go together."""

from __future__ import annotations

import argparse

from bert_tf.errors import UserError


def check_predict_flags(flags: argparse.Namespace) -> None:
    """Raises: UserError for flags that do not go together."""
    if flags.text is not None and flags.input is not None:
        raise UserError("expected either --text or --input. Received: both")
    asked = {"--text": flags.text, "--input": flags.input, "--question": flags.question}
    given = [name for name, value in asked.items() if value is not None] + ["--interactive"] * flags.interactive
    if not given:
        more = "--question and --context ask about files, --interactive asks for texts in turn"
        raise UserError(f"expected either --text or --input. Received: neither; {more}")
    if len(given) > 1:
        raise UserError(f"expected one of --text, --input, --question, --interactive. Received: {' and '.join(given)}")
    if flags.question is not None and flags.context is None:
        raise UserError("--question needs --context, the files that it is about. Received: no --context")
    if flags.context is not None and flags.question is None and not flags.interactive:
        raise UserError(f"--context needs --question or --interactive. Received: {given[0]}")
    if flags.output is not None and (flags.format is not None or flags.interactive):
        flag = "--format" if flags.format is not None else "--interactive"
        raise UserError(f"{flag} is for standard output. Received: --output={flags.output} as well")
    if flags.rows_of is not None and flags.format == "text":
        raise UserError("--rows-of is for --output and --format=json. Received: --format=text as well")
    if flags.shards is not None:
        _check_shards(flags)


def _check_shards(flags: argparse.Namespace) -> None:
    if flags.input in (None, "-") or flags.shard_rows < 1:
        came = f"--input={flags.input}, --shard-rows={flags.shard_rows}"
        raise UserError(f"--shards: expected an --input of files, and --shard-rows of 1 or more. Received: {came}")
    if flags.output is not None or flags.format is not None or flags.explain:
        other = next(name for name in ("output", "format", "explain") if getattr(flags, name))
        raise UserError(f"--shards has answers of its own form: see --shard-format. Received: --{other} as well")
