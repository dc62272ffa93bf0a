"""Search texts by meaning: python -m bert_tf.search --model=minilm --corpus=documents.jsonl --index=INDEX --query="..."

Builds an index of sentence vectors on disk, or opens the one that is there, and answers queries: one JSON object per
line, in their order, with the nearest documents and the cosine of each. With --qrels a last line holds the metrics.

A corpus, and a file of queries, is CSV, TSV, JSON lines, a JSON array, Parquet or Excel with a column `text` (perhaps
`title`, and `_id` or `id`), TSV with an id and a text, SMART's format as Cranfield has it, or a text a line, whose id
is the line's number.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.command_line import (
    Parser,
    add_model_settings,
    add_reading_flags,
    check_writable,
    is_said,
    model_settings,
    reading_layer,
    run_command,
    say,
    start_tensorflow,
)
from bert_tf.data.files import FORMATS
from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.data.sources.text_sets import TextSet, TextSetReading
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.inference.vector_index import VectorIndex

PROG = "python -m bert_tf.search"
GROUPS = {
    "with what": ("--model", "--run"),
    "what is searched": ("--corpus", "--index", "--text-column"),
    "what is asked": ("--query", "--queries", "--top"),
}
EXAMPLES = {
    '--model=minilm --corpus=notes.txt --index=notes.index --query="cheap flights"': "builds the index, and answers",
    '--model=minilm --index=notes.index --query="cheap flights" --top=3': "an index that is there already",
    "--model=minilm --index=notes.index --queries=questions.txt": "many queries, one a line",
}
METRICS = ("ndcg_at_10", "mrr", "recall_at_10", "recall_at_100")
LENGTH = 512  # most tokens of a text where the model names no number


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--run", metavar="DIR", help="run folder of a task of sentence vectors")
    parser.add_argument("--model", metavar="WHERE", help="minilm, a folder or hf://org/name, instead of a run")
    parser.add_argument("--corpus", metavar="FILE", help="the documents; needed where there is no index yet")
    parser.add_argument("--index", metavar="DIR", required=True, help="folder of the index")
    parser.add_argument("--approximate", action="store_true", help="build an index that is faster than exact search")
    parser.add_argument("--query", action="append", metavar="TEXT", help="a query; may be repeated")
    parser.add_argument("--queries", metavar="FILE", help="file of queries")
    parser.add_argument("--top", metavar="N", type=_count, default=10, help="documents a query; default: 10")
    parser.add_argument("--qrels", metavar="FILE", help="judgements of --queries: TREC's, BEIR's or Cranfield's")
    parser.add_argument("--input-format", metavar="NAME", choices=tuple(FORMATS),
                        help=f"of --corpus and --queries: {', '.join(FORMATS)}; default: by the suffix")  # fmt: skip
    parser.add_argument("--text-column", metavar="NAME", default="text", help="of the documents; default: text")
    parser.add_argument("--id-column", metavar="NAME", help="of the documents; default: _id or id, if there is one")
    parser.add_argument("--query-column", metavar="NAME", default="text", help="the queries' texts; default: text")
    parser.add_argument("--query-id-column", metavar="NAME", help="the queries' ids; default: _id or id")
    add_reading_flags(parser)
    add_model_settings(parser)
    flags = parser.parse_args(argv)

    # 1. What is asked, and whether it can be, before anything slow.
    _check(flags)
    model_settings(flags)
    from bert_tf.inference.vector_index import check_faiss, read_about

    check_faiss()
    folder = Path(flags.index).expanduser()
    corpus, corpus_about = None, {}
    if flags.corpus is not None:
        path = Path(flags.corpus).expanduser()
        corpus = _read(flags.corpus, flags)
        corpus_about = {"corpus": hashlib.sha256(path.read_bytes()).hexdigest(), "corpus_name": path.name}
        check_writable(folder.parent, "--index")
    is_there = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    about = read_about(folder) if is_there or corpus is None else None
    if about is not None and corpus_about and about.get("corpus") != corpus_about["corpus"]:
        raise UserError(
            f"--index={folder} holds an index of another corpus, {about.get('corpus_name')}. Give a fresh --index, "
            "or leave out --corpus"
        )
    queries = _queries(flags)

    # 2. The model, and the index: opened, or built and written.
    start_tensorflow()
    pipeline = _pipeline(flags)
    if about is None:
        assert corpus is not None
        index = _build(pipeline, corpus, folder, about=corpus_about, approximate=flags.approximate)
    else:
        index = _open(pipeline, folder)
    if queries is None:
        return

    # 3. Answers.
    judgements, own = None, None
    if flags.qrels is not None:
        from bert_tf.data.sources.text_sets import is_beir, read_judgements

        qrels = Path(flags.qrels).expanduser()
        judgements = read_judgements(qrels, queries, index.ids, _reading(flags))
        if is_beir(qrels):  # its evaluation leaves out a query's own document
            numbers = {key: number for number, key in enumerate(index.ids)}
            own = [numbers.get(key, -1) for key in queries.ids]
    _answer(pipeline, index, queries, top=flags.top, judgements=judgements, own=own)


def _check(flags: argparse.Namespace) -> None:
    if (flags.run is None) == (flags.model is None):
        came = "neither" if flags.run is None else "both"
        raise UserError(f"expected either --run or --model. Received: {came}")
    if flags.query is not None and flags.queries is not None:
        raise UserError("expected either --query or --queries. Received: both")
    if flags.corpus is None and flags.query is None and flags.queries is None:
        raise UserError("expected --corpus, to build an index, or --query or --queries, to search one. Received: none")
    if flags.qrels is not None and flags.queries is None:
        raise UserError("--qrels needs --queries, whose ids it names. Received: no --queries")
    if flags.approximate and flags.corpus is None:
        raise UserError("--approximate is for building an index, and needs --corpus. Received: no --corpus")


def _reading(flags: argparse.Namespace, *, are_queries: bool = False) -> TextSetReading:
    from bert_tf.data.sources.text_sets import TextSetReading

    data = reading_layer(flags).values.get("data", {})
    return TextSetReading(
        file_format=flags.input_format,
        text_column=flags.query_column if are_queries else flags.text_column,
        id_column=flags.query_id_column if are_queries else flags.id_column,
        **data,
    )


def _read(name: str, flags: argparse.Namespace, *, are_queries: bool = False) -> TextSet:
    from bert_tf.data.sources.text_sets import read_text_set

    reading = _reading(flags, are_queries=are_queries)
    return read_text_set(Path(name).expanduser(), reading, are_queries=are_queries)


def _queries(flags: argparse.Namespace) -> TextSet | None:
    from bert_tf.data.sources.text_sets import TextSet

    if flags.query is not None:
        return TextSet([str(number) for number in range(1, len(flags.query) + 1)], flags.query)
    return None if flags.queries is None else _read(flags.queries, flags, are_queries=True)


def _pipeline(flags: argparse.Namespace) -> Pipeline:
    """Raises: UserError if a run's task is not one of sentence vectors."""
    from bert_tf.data import InMemory
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.kinds import Retrieval

    if flags.model is not None:
        return Pipeline(
            flags.model, task=Retrieval(source=InMemory({}), sequence_length=LENGTH), **model_settings(flags)
        )
    pipeline = Pipeline(Path(flags.run).expanduser())
    if not pipeline.kind.serving.vector:
        raise UserError(
            f"--run={flags.run}: expected a run whose task is of sentence vectors. "
            f"Received: one of {type(pipeline.kind).__name__}"
        )
    return pipeline


def _build(
    pipeline: Pipeline, corpus: TextSet, folder: Path, *, about: dict[str, Any], approximate: bool
) -> VectorIndex:
    from bert_tf.inference.vector_index import VectorIndex

    started = time.perf_counter()
    vectors = _vectors(pipeline, corpus.texts)
    about = {**about, "model": _identity(pipeline), "sequence_length": pipeline.sequence_length}
    index = VectorIndex(corpus.ids, corpus.texts, vectors, about=about, approximate=approximate)
    index.save(folder)
    seconds = time.perf_counter() - started
    skipped = f", {corpus.bad_rows} bad rows left out" if corpus.bad_rows else ""
    say(f"{folder}: an index of {len(index):,} documents{skipped} ({seconds:.1f} s)")
    return index


def _open(pipeline: Pipeline, folder: Path) -> VectorIndex:
    """Raises: UserError if another model made the index."""
    from bert_tf.inference.vector_index import VectorIndex

    index = VectorIndex.load(folder)
    identity = _identity(pipeline)
    if index.about.get("model") != identity:
        raise UserError(
            f"--index={folder} was made by another model, so its vectors cannot be compared with this one's. Give the "
            "model that made it, or a fresh --index and --corpus. "
            f"Received: {identity[:12]}, the index has {str(index.about.get('model'))[:12]}"
        )
    return index


def _identity(pipeline: Pipeline) -> str:
    from bert_tf.inference.vector_index import model_identity

    return model_identity(pipeline.model, pipeline.tokenizer, sequence_length=pipeline.sequence_length)


def _vectors(pipeline: Pipeline, texts: Sequence[str]) -> Any:
    """float32 [N, D]"""
    import numpy as np

    progress = _progress if sys.stderr.isatty() and is_said() else None
    return np.stack([answer["vector"] for answer in pipeline.rows(texts, progress=progress)])


def _progress(done: int, total: int) -> None:
    print(f"\r{done:,} of {total:,} texts", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _answer(
    pipeline: Pipeline,
    index: VectorIndex,
    queries: TextSet,
    *,
    top: int,
    judgements: Sequence[Mapping[int, float]] | None,
    own: Sequence[int] | None,
) -> None:
    from bert_tf.metrics.ranking import ranked_for, retrieval_scores, without

    vectors = _vectors(pipeline, queries.texts)
    started = time.perf_counter()
    scores, numbers = index.search(vectors, top if judgements is None else max(top, 1 + ranked_for(METRICS)))
    milliseconds = 1000 * (time.perf_counter() - started) / len(queries.texts)
    found = [[int(number) for number in row if number >= 0] for row in numbers]
    for i, documents in enumerate(found):
        results = [
            {"id": index.ids[number], "score": float(scores[i, rank]), "text": index.texts[number]}
            for rank, number in enumerate(documents[:top])
        ]
        answer = {"id": queries.ids[i], "query": queries.texts[i], "results": results}
        print(json.dumps(answer, ensure_ascii=False))
    say(f"{len(found):,} queries over {len(index):,} documents: {milliseconds:.2f} ms a search")
    if judgements is not None:
        metrics = retrieval_scores(found if own is None else without(found, own), judgements, METRICS)
        say(", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
        judged = sum(any(gain > 0 for gain in of_query.values()) for of_query in judgements)
        print(json.dumps({"metrics": metrics, "queries": judged, "documents": len(index)}))


def _count(value: str) -> int:
    number = 0
    with contextlib.suppress(ValueError):
        number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more. Received: {value}")
    return number


if __name__ == "__main__":
    run_command(PROG, main)
