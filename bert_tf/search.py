"""Search texts by meaning: python -m bert_tf.search --model=minilm --corpus=notes/ --index=INDEX --query="..."

Builds an index of sentence vectors on disk, or opens the one that is there, and answers queries, in their order, with
the nearest documents and the cosine of each: to read on a terminal, one JSON object per line elsewhere. With --qrels a
last line holds the metrics.

A corpus is a folder or a pattern of files: a text file is a document, whose id is its name, and is searched by
passages, whose place comes back; a row of a table is one, too. Or it is one file, as a file of queries is: CSV, TSV,
JSON lines, a JSON array, Parquet or Excel with a column `text` (perhaps `title`, and `_id` or `id`), TSV with an id and
a text, SMART's format as Cranfield has it, or a text a line, whose id is the line's number.

An index remembers its model, so that --index and --query will do. With the corpus that it was made of, it is brought
up to date: what was added or changed since is read, and what is gone is forgotten.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.command_line import (
    Parser,
    add_model_settings,
    add_precision,
    add_reading_flags,
    answer_settings,
    check_writable,
    is_said,
    model_settings,
    reading_layer,
    run_command,
    say,
    start_tensorflow,
)
from bert_tf.command_line.interactive import Lines
from bert_tf.data.search_corpus import CORPUS_FORMATS
from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.data.search_corpus import SearchCorpus
    from bert_tf.data.sources.text_sets import TextSet, TextSetReading
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.inference.vector_index import VectorIndex

PROG = "python -m bert_tf.search"
GROUPS = {
    "with what": ("--model", "--run"),
    "what is searched": ("--corpus", "--index", "--text-column"),
    "what is asked": ("--query", "--queries", "--interactive", "--top"),
}
EXAMPLES = {
    '--model=minilm --corpus=notes/ --index=notes.index --query="cheap flights"': "builds the index, and answers",
    '--index=notes.index --query="cheap flights" --top=3': "an index that is there already",
    "--index=notes.index --interactive": "one query after another",
}
METRICS = ("ndcg_at_10", "mrr", "recall_at_10", "recall_at_100")
TEXT, JSON = "text", "json"
MOST_NAMED = 5  # files that are left out


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--run", metavar="DIR", help="run folder of a task of sentence vectors")
    parser.add_argument("--model", metavar="WHERE", help="minilm, a folder or hf://org/name, instead of a run; "
                        "default: the one that made the index, or minilm for a new one")  # fmt: skip
    parser.add_argument("--corpus", metavar="FILE|DIR|PATTERN",
                        help="the documents: to build an index, or to bring it up to date")  # fmt: skip
    parser.add_argument("--index", metavar="DIR", required=True, help="folder of the index")
    parser.add_argument("--approximate", action="store_true", help="build an index that is faster than exact search")
    parser.add_argument("--precision", metavar="NAME", choices=("float32", "int8"),
                        help="of the vectors in an index that is built: float32, or int8, a quarter of the memory, "
                             "with cosines some thousandths off; default: float32, or the index's")  # fmt: skip
    parser.add_argument("--query", action="append", metavar="TEXT", help="a query; may be repeated")
    parser.add_argument("--queries", metavar="FILE", help="file of queries")
    parser.add_argument("--interactive", action="store_true", help="ask for queries in turn, and answer each")
    parser.add_argument("--top", metavar="N", type=_count, default=10, help="documents a query; default: 10")
    parser.add_argument("--qrels", metavar="FILE", help="judgements of --queries: TREC's, BEIR's or Cranfield's")
    parser.add_argument("--input-format", metavar="NAME", choices=CORPUS_FORMATS,
                        help=f"of --corpus and --queries: {', '.join(CORPUS_FORMATS)} (a file is one document); "
                             "default: by the suffix")  # fmt: skip
    parser.add_argument("--passage-words", metavar="N", type=_count, help="most words of a passage; default: 150 in "
                        "files that are documents; rows of tables are cut only where it is given")  # fmt: skip
    parser.add_argument("--text-column", metavar="NAME", default="text", help="of the documents; default: text")
    parser.add_argument("--id-column", metavar="NAME", help="of the documents; default: _id or id, if there is one")
    parser.add_argument("--query-column", metavar="NAME", default="text", help="the queries' texts; default: text")
    parser.add_argument("--query-id-column", metavar="NAME", help="the queries' ids; default: _id or id")
    parser.add_argument("--format", metavar="NAME", choices=(TEXT, JSON), help="of the results: text, to be read, or "
                        "json, an object a line; default: text on a terminal, json elsewhere")  # fmt: skip
    add_reading_flags(parser)
    add_model_settings(parser, answers=True)
    add_precision(parser, "--model-precision")
    flags = parser.parse_args(argv)

    # 1. What is asked, and whether it can be, before anything slow.
    _check(flags)
    answers = answer_settings(flags)
    settings = model_settings(flags)
    from bert_tf.inference.searching.indexing import corpus_to_read
    from bert_tf.inference.searching.models import fetch_model, model_place, open_model
    from bert_tf.inference.vector_index import check_faiss, read_about

    check_faiss()
    folder = Path(flags.index).expanduser()
    is_there = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    about = read_about(folder) if is_there or flags.corpus is None else None
    place = model_place(flags.run, flags.model, settings, about, folder, answers=answers)
    if flags.run is None and flags.model is None and about is None:
        say(f"--model={place['model']}, as neither --model nor --run says another")
    corpus = None
    if flags.corpus is not None:
        corpus = _corpus(flags, about)
        check_writable(folder.parent, "--index")
        if about is not None:
            asked = {"precision": flags.precision, "approximate": flags.approximate}
            corpus = corpus_to_read(corpus, about, folder, **asked)
    queries = _queries(flags)
    fetch_model(place)

    # 2. The model, and the index: opened, brought up to date, or built and written.
    start_tensorflow()
    pipeline = open_model(place, precision=flags.model_precision)
    index = _index(pipeline, folder, about, corpus, place, flags)

    # 3. Answers.
    if flags.interactive:
        _in_turn(pipeline, index, flags)
        return
    if queries is None:
        return
    judgements, own = None, None
    if flags.qrels is not None:
        from bert_tf.data.sources.text_sets import is_beir, read_judgements

        qrels = Path(flags.qrels).expanduser()
        documents = list(dict.fromkeys(index.ids))
        judgements = read_judgements(qrels, queries, documents, _reading(flags))
        if is_beir(qrels):  # its evaluation leaves out a query's own document
            numbers = {key: number for number, key in enumerate(documents)}
            own = [numbers.get(key, -1) for key in queries.ids]
    _answer(pipeline, index, queries, flags, judgements=judgements, own=own)


def _check(flags: argparse.Namespace) -> None:
    if flags.run is not None and flags.model is not None:
        raise UserError("expected either --run or --model. Received: both")
    if flags.query is not None and flags.queries is not None:
        raise UserError("expected either --query or --queries. Received: both")
    if flags.interactive and (flags.query is not None or flags.queries is not None):
        raise UserError("expected either --interactive, or --query or --queries. Received: both")
    if flags.corpus is None and flags.query is None and flags.queries is None and not flags.interactive:
        raise UserError("expected --corpus, to build an index, or --query or --queries, to search one. Received: none")
    if flags.qrels is not None and flags.queries is None:
        raise UserError("--qrels needs --queries, whose ids it names. Received: no --queries")
    for name in ("approximate", "precision", "passage_words"):
        if getattr(flags, name) and flags.corpus is None:
            flag = f"--{name.replace('_', '-')}"
            raise UserError(f"{flag} is for building an index, and needs --corpus. Received: no --corpus")


def _reading(flags: argparse.Namespace, *, are_queries: bool = False) -> TextSetReading:
    from bert_tf.data.search_corpus import rows_reading
    from bert_tf.data.sources.text_sets import TextSetReading

    data = reading_layer(flags).values.get("data", {})
    reading = TextSetReading(
        file_format=flags.input_format,
        text_column=flags.query_column if are_queries else flags.text_column,
        id_column=flags.query_id_column if are_queries else flags.id_column,
        **data,
    )
    return rows_reading(reading) if are_queries else reading


def _corpus(flags: argparse.Namespace, about: Mapping[str, Any] | None) -> SearchCorpus:
    from bert_tf.data.search_corpus import read_corpus

    words = flags.passage_words or (about or {}).get("passage_words")
    return read_corpus(flags.corpus, _reading(flags), passage_words=words)


def _queries(flags: argparse.Namespace) -> TextSet | None:
    from bert_tf.data.sources.text_sets import TextSet, read_text_set

    if flags.query is not None:
        return TextSet([str(number) for number in range(1, len(flags.query) + 1)], flags.query)
    if flags.queries is None:
        return None
    return read_text_set(Path(flags.queries).expanduser(), _reading(flags, are_queries=True), are_queries=True)


def _index(
    pipeline: Pipeline,
    folder: Path,
    about: Mapping[str, Any] | None,
    corpus: SearchCorpus | None,
    place: Mapping[str, Any],
    flags: argparse.Namespace,
) -> VectorIndex:
    """The index that is there, or one of `corpus`, in which texts that the old one had keep their vectors."""
    from bert_tf.inference.searching.indexing import open_index

    started = time.perf_counter()
    index, encoded = open_index(
        pipeline,
        folder,
        about,
        corpus,
        place,
        passage_words=flags.passage_words,
        approximate=flags.approximate,
        precision=flags.precision,
        progress=_progress if sys.stderr.isatty() and is_said() else None,
    )
    if corpus is None:
        return index
    passages = f" in {len(index):,} passages" if corpus.documents < len(index) else ""
    skipped = f", {corpus.bad_rows} bad rows left out" if corpus.bad_rows else ""
    if corpus.bad_files:
        names = f"{', '.join(corpus.bad_files[:MOST_NAMED])}{', ...' * (len(corpus.bad_files) > MOST_NAMED)}"
        skipped += f", {len(corpus.bad_files):,} of the files left out, as they cannot be read ({names})"
    empty = f", {corpus.empty_files} empty file{'s' * (corpus.empty_files > 1)} left out" if corpus.empty_files else ""
    news = "" if about is None else f", {encoded:,} texts new or changed, the others' vectors kept"
    seconds = time.perf_counter() - started
    say(f"{folder}: an index of {corpus.documents:,} documents{passages}{news}{skipped}{empty} ({seconds:.1f} s)")
    return index


def _progress(done: int, total: int) -> None:
    print(f"\r{done:,} of {total:,} texts", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _in_turn(pipeline: Pipeline, index: VectorIndex, flags: argparse.Namespace) -> None:
    from bert_tf.data.sources.text_sets import TextSet

    for number, query in enumerate(Lines().each("query"), start=1):
        try:
            _answer(pipeline, index, TextSet([str(number)], [query]), flags, is_timed=False)
        except (UserError, ValueError) as error:
            say(f"error: {error}")


def _answer(
    pipeline: Pipeline,
    index: VectorIndex,
    queries: TextSet,
    flags: argparse.Namespace,
    *,
    judgements: Sequence[Mapping[int, float]] | None = None,
    own: Sequence[int] | None = None,
    is_timed: bool = True,
) -> None:
    from bert_tf.inference.searching.indexing import nearest
    from bert_tf.metrics.ranking import ranked_for, retrieval_scores, without

    is_drawn = flags.format == TEXT or (flags.format is None and sys.stdout.isatty())
    vectors = pipeline.encode(list(queries.texts))
    started = time.perf_counter()
    top = flags.top
    found = nearest(index, vectors, top if judgements is None else max(top, 1 + ranked_for(METRICS)))
    milliseconds = 1000 * (time.perf_counter() - started) / len(queries.texts)
    for key, query, documents in zip(queries.ids, queries.texts, found, strict=True):
        results = [
            {"id": index.ids[number], "score": score, "text": index.texts[number], **index.details[number]}
            for number, score in documents[:top]
        ]
        if is_drawn:
            from bert_tf.terminal.drawing import Drawing
            from bert_tf.terminal.found import result_parts

            drawing = Drawing(sys.stdout)
            drawing.parts(result_parts(query, results))
            drawing.space()
        else:
            print(json.dumps({"id": key, "query": query, "results": results}, ensure_ascii=False))
    sys.stdout.flush()
    if is_timed:
        say(f"{len(found):,} queries over {len(index):,} texts: {milliseconds:.2f} ms a search")
    if judgements is not None:
        numbers = {key: number for number, key in enumerate(dict.fromkeys(index.ids))}
        ranked = [[numbers[index.ids[number]] for number, _ in documents] for documents in found]
        metrics = retrieval_scores(ranked if own is None else without(ranked, own), judgements, METRICS)
        say(", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
        judged = sum(any(gain > 0 for gain in of_query.values()) for of_query in judgements)
        print(json.dumps({"metrics": metrics, "queries": judged, "documents": len(numbers)}))


def _count(value: str) -> int:
    number = 0
    with contextlib.suppress(ValueError):
        number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more. Received: {value}")
    return number


if __name__ == "__main__":
    run_command(PROG, main)
