"""Learn a vocabulary from a corpus: python -m bert_tf.vocabulary --input=corpus.txt --size=8000 --output=words

Trains WordPiece, the pieces of words that BERT reads, and writes a folder for --set vocabulary=words of the training
commands, for BertTokenizer.from_pretrained, and for Transformers' AutoTokenizer. The same corpus gives the same folder.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bert_tf.command_line import Parser, check_writable, run_command, say
from bert_tf.data.corpora.text_files import corpus_files, corpus_lines
from bert_tf.errors import UserError

PROG = "python -m bert_tf.vocabulary"
GROUPS = {
    "what is read and written": ("--input", "--output"),
    "which words": ("--size", "--lowercase", "--min-count"),
}
EXAMPLES = {
    "--input=corpus.txt --size=8000 --output=words": "cased, as the text is",
    "--input one.txt two.txt.gz --size=30000 --lowercase --output=words": "several files, lower-cased",
    "--input=corpus.txt --size=8000 --max-characters=4000 --output=words": "the rarest characters become [UNK]",
}
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTINUED = "##"
PLAIN_SECONDS = 15.0


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--input", metavar="WHERE", nargs="+", action="extend", required=True,
                        help="text files in UTF-8, plain or gzipped; folders with .txt files, or patterns: "
                             "'notes/*.md'")  # fmt: skip
    parser.add_argument("--size", metavar="N", type=int, required=True, help="tokens at most, special ones included")
    parser.add_argument("--output", metavar="DIR", required=True, help="folder for vocab.txt and the tokenizer's files")
    parser.add_argument("--lowercase", action="store_true", help="lower-case the text, and take accents off")
    parser.add_argument("--min-count", metavar="N", type=int, default=2,
                        help="how often two pieces must stand together to become one; default: 2")  # fmt: skip
    parser.add_argument("--max-characters", metavar="N", type=int,
                        help="keep only the most frequent characters; others are [UNK]; default: all")  # fmt: skip
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave out and count lines that are not UTF-8")
    flags = parser.parse_args(argv)

    # 1. What is asked, and whether it can be.
    for flag, value in (
        ("--size", flags.size),
        ("--min-count", flags.min_count),
        ("--max-characters", flags.max_characters),
    ):
        least = len(SPECIAL_TOKENS) + 1 if flag == "--size" else 1
        if value is not None and value < least:
            raise UserError(f"{flag} must be {least} or more. Received: {value}")
    output = Path(flags.output).expanduser()
    _check_output(output)
    files = list(
        dict.fromkeys(
            file for where in flags.input for file in corpus_files(where, suffixes=(".txt",), flag="--input=")
        )
    )
    _library()

    # 2. Learn.
    began = time.perf_counter()
    skipped: list[UserError] | None = [] if flags.skip_bad_rows else None
    tokens = learn(files, size=flags.size, lowercase=flags.lowercase, min_count=flags.min_count,
                   max_characters=flags.max_characters, skipped=skipped)  # fmt: skip
    bad_rows = len(dict.fromkeys(map(str, skipped or ())))  # the corpus is read more than once

    # 3. Write.
    from bert_tf.text.files import write
    from bert_tf.weights.files import written_folder

    with written_folder(output) as folder:
        special = {f"{token[1:-1].lower()}_token": token for token in SPECIAL_TOKENS}
        write(
            folder,
            tokens,
            special_tokens=special,
            lowercase=flags.lowercase,
        )
    seconds = time.perf_counter() - began
    fewer = "" if len(tokens) == flags.size else f" (the corpus has no more for --size={flags.size})"
    left_out = f", {bad_rows} bad rows left out" if bad_rows else ""
    say(f"{len(tokens):,} tokens{fewer} in {output}{left_out}, {seconds:.1f} s")
    found = {"output": str(output), "tokens": len(tokens), "seconds": round(seconds, 3)}
    print(json.dumps(found | ({"bad_rows": bad_rows} if flags.skip_bad_rows else {})))


def learn(
    files: Sequence[Path],
    *,
    size: int,
    lowercase: bool = False,
    min_count: int = 2,
    max_characters: int | None = None,
    skipped: list[UserError] | None = None,
) -> list[str]:
    """A WordPiece vocabulary of at most `size` tokens: the special ones, characters, and pieces in order of merging.

    Args:
        files: text in UTF-8, plain or gzipped.
        lowercase: lower-case the text and take accents off.
        min_count: how often two pieces must stand together to become one.
        max_characters: how many of the most frequent characters to keep; None: all.
        skipped: takes what is wrong with lines that are left out, once for each reading; None: the first is raised.
    Raises: UserError naming file and line of what is not UTF-8, or if the characters alone are more than `size`.
    """
    kept = None if max_characters is None else _frequent(files, max_characters, skipped, lowercase=lowercase)
    # The library numbers characters as its hash table happens to hold them, and breaks ties by the numbers. So they are
    # found in a first pass over the corpus, sorted, and numbered by us in the second.
    found = _train(
        files, 0, SPECIAL_TOKENS, kept, skipped, lowercase=lowercase, min_count=min_count, doing="characters"
    )
    characters = sorted(found[len(SPECIAL_TOKENS) :], key=lambda token: (token.startswith(CONTINUED), token))
    first = [*SPECIAL_TOKENS, *characters]
    if not characters:
        raise UserError(f"{', '.join(map(str, files))}: expected text. Received: none")
    if len(first) > size:
        raise UserError(
            f"--size must be at least {len(first)} for this corpus, whose characters are tokens of their own, at the "
            f"start of a word and inside; or set --max-characters. Received: --size={size}"
        )
    return _train(files, size, first, kept, skipped, lowercase=lowercase, min_count=min_count, doing="pieces")


def _train(
    files: Sequence[Path], size: int, first: Sequence[str], kept: Sequence[str] | None, skipped: list[UserError] | None,
    *, lowercase: bool, min_count: int, doing: str,
) -> list[str]:  # fmt: skip
    """One run of the library. `first`: the tokens that get the first numbers. Returns the tokens by number."""
    tokenizers = _library()
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    alphabet = {} if kept is None else {"initial_alphabet": list(kept), "limit_alphabet": len(kept)}
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=min_count, special_tokens=list(first), continuing_subword_prefix=CONTINUED,
        show_progress=sys.stderr.isatty(), **alphabet,
    )  # fmt: skip
    tokenizer.train_from_iterator(
        corpus_lines(files, _Reading(doing), on_bad=None if skipped is None else skipped.append), trainer
    )
    numbers = tokenizer.get_vocab()
    return sorted(numbers, key=numbers.__getitem__)


def _frequent(files: Sequence[Path], count: int, skipped: list[UserError] | None, *, lowercase: bool) -> list[str]:
    """The most frequent characters of the text as it is read; of equally frequent ones the lower code points."""
    normalizer = _library().normalizers.BertNormalizer(lowercase=lowercase)
    counts: Counter[str] = Counter()
    for line in corpus_lines(files, _Reading("frequencies"), on_bad=None if skipped is None else skipped.append):
        counts.update(normalizer.normalize_str(line))
    ranked = sorted((c for c in counts if not c.isspace()), key=lambda c: (-counts[c], c))
    return sorted(ranked[:count])


class _Reading:
    """Says how much of the corpus is read: every 15 seconds, but on a terminal, where the library shows a bar."""

    def __init__(self, doing: str) -> None:
        self.doing, self.said = doing, time.perf_counter()

    def __call__(self, share: float) -> None:
        if not sys.stderr.isatty() and time.perf_counter() - self.said > PLAIN_SECONDS:
            self.said = time.perf_counter()
            say(f"{self.doing}: {share:.0%} of the corpus read")


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise UserError(
            f"{PROG} needs an optional package: pip install 'bert_tf[vocabulary]'. Received: {error}"
        ) from None
    return tokenizers


def _check_output(folder: Path) -> None:
    """Raises: UserError if the folder cannot be made, or holds a model, whose words are not to be changed."""
    check_writable(folder.parent, "--output")
    weights = [*folder.glob("*.safetensors"), *folder.glob("*.bin"), *folder.glob("*.h5"), *folder.glob("*.index")]
    if folder.is_file() or weights:
        came = f"a folder with {weights[0].name}" if weights else "a file"
        raise UserError(f"--output={folder}: expected a folder without a model in it. Received: {came}")


if __name__ == "__main__":
    run_command(PROG, main)
