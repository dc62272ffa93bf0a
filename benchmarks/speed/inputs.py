"""What the rows work on: texts, runs, exports and folders, each made when a row first asks for it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY / "bert_tf" / "data" / "samples"
FEW, MANY = 2_000, 6_000
VECTORS = 1_000_000
LONG_TEXTS, LONG_WORDS = 500, 400
LONGEST = 128  # tokens of the rows of one text
UPDATES = 200  # of the run that is made where none is given


class Inputs:
    """Paths by name.

    Args:
        work: a folder that is kept from one run to the next.
        data: a folder with the published sets as sst2/, squad/ and a corpus of *.txt as gutenberg/; what is not there
            is replaced by the bundled sample, which is said.
        run: a run of SST-2; None: a short one is made.
        peers_python: what converts models for other runtimes; None: nothing does.
    """

    def __init__(self, work: Path, data: Path | None, run: Path | None, peers_python: str | None = None) -> None:
        self.work, self.data, self.given_run, self.peers_python = work.resolve(), data, run, peers_python
        self.samples: set[str] = set()

    def filled(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a side, with paths for what stands in braces."""
        return {name: value.format_map(self) if isinstance(value, str) else value for name, value in arguments.items()}

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))

    @cached_property
    def sst2(self) -> Path:
        return self._published("sst2", "train.tsv")

    @cached_property
    def squad(self) -> Path:
        return self._published("squad", "train-v1.1.json")

    @cached_property
    def corpus(self) -> str:
        found = self.data and self.data / "gutenberg"
        if found and any(found.glob("*.txt")):
            return str(found.resolve() / "*.txt")
        self.samples.add("gutenberg")
        return str(SAMPLES / "pretrain")

    @cached_property
    def minilm(self) -> Path:
        from bert_tf.weights import resolve

        return Path(resolve("minilm"))

    @cached_property
    def base(self) -> Path:
        """BERT-base with random weights and MiniLM's vocabulary."""

        def make(folder: Path) -> None:
            self._python("from benchmarks.speed.inputs import make_base; make_base(*sys.argv[1:])", folder)

        return self._made("base", make)

    @cached_property
    def byte_pairs(self) -> Path:
        return self._trained("byte_pairs")

    @cached_property
    def sentence_pieces(self) -> Path:
        return self._trained("sentence_pieces")

    @cached_property
    def texts(self) -> Path:
        return self._lines("texts.txt", lambda: self._sentences()[:FEW])

    @cached_property
    def many_texts(self) -> Path:
        return self._lines("many_texts.txt", lambda: self._sentences()[:MANY])

    @cached_property
    def long_texts(self) -> Path:
        def make() -> list[str]:
            words = " ".join(self._sentences()).split()
            some = words * (1 + LONG_TEXTS * LONG_WORDS // len(words))
            return [" ".join(some[i * LONG_WORDS : (i + 1) * LONG_WORDS]) for i in range(LONG_TEXTS)]

        return self._lines("long_texts.txt", make)

    @cached_property
    def contexts(self) -> Path:
        """Paragraphs with labels that mean nothing, in the form of SST-2."""

        def make(folder: Path) -> None:
            articles = json.loads((self.squad / "train-v1.1.json").read_text(encoding="utf-8"))["data"]
            found = [" ".join(part["context"].split()) for article in articles for part in article["paragraphs"]]
            for name in ("train.tsv", "dev.tsv"):
                lines = ["sentence\tlabel", *(f"{text}\t{number % 2}" for number, text in enumerate(found))]
                (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

        return self._made(f"contexts-{_digest(str(self.squad))}", make)

    @cached_property
    def vectors(self) -> Path:
        def make(folder: Path) -> None:
            code = "from benchmarks.speed.sides.index import make_vectors; make_vectors(*sys.argv[1:])"
            self._python(code, folder / "vectors.npy", VECTORS)

        return self._made(f"vectors-{VECTORS}", make) / "vectors.npy"

    @cached_property
    def batches(self) -> Path:
        """Batches of pre-training for Transformers, masked and padded."""

        def make(folder: Path) -> None:
            code = "from benchmarks.speed.batches import write_batches; write_batches(*sys.argv[1:])"
            self._python(code, self.corpus, self.minilm, folder / "batches.npz")

        return self._made(f"batches-{_digest(self.corpus)}", make) / "batches.npz"

    @cached_property
    def run(self) -> Path:
        if self.given_run is not None:
            return self.given_run.resolve()
        return self._made("run", lambda folder: self._command(
            "train", "--task=sst2", f"--data={self.sst2}", f"--run={folder}", "--set", f"training.max_steps={UPDATES}",
            "training.warmup_steps=20", "evaluation.report=false",
        ))  # fmt: skip

    @cached_property
    def saved_model(self) -> Path:
        return self._export("saved_model")

    @cached_property
    def lite(self) -> Path:
        return self._export("tflite", "--quantize=int8", "--set", "length=dynamic")

    @cached_property
    def lite_batches(self) -> Path:
        """Of any number of rows; its name tells it from `lite`, which phones open."""
        return self._export("tflite", "--quantize=int8", "--set", "length=dynamic", "batch=any", name="batches")

    @cached_property
    def lite_vectors(self) -> Path:
        """MiniLM's sentence vectors, as a run of one update that changes nothing, exported."""
        texts = self._sentences()[:64]
        pairs = [f"{one}\t{other}\t{number % 5}" for number, (one, other) in enumerate(pairwise(texts))]
        data = self._lines("pairs.tsv", lambda: ["one\ttwo\tscore", *pairs])
        run = self._made("vectors-run", lambda folder: self._command(
            "train", "--kind=vectors", f"--data={data}", "--text=one,two", "--label=score", f"--run={folder}",
            "--set", "training.max_steps=1", "training.learning_rate=1e-12", "training.weight_decay=0",
            "evaluation.report=false",
        ))  # fmt: skip
        return self._export("tflite", "--quantize=int8", "--tolerance=100", "--set", "length=dynamic", "batch=any",
                            run=run, data=data)  # fmt: skip

    @cached_property
    def peer_models(self) -> Path:
        """What other runtimes make of the run."""

        def make(folder: Path) -> None:
            (folder / "calibration.txt").write_text("\n".join(self._sentences()[-500:]) + "\n", encoding="utf-8")
            assert self.peers_python is not None
            command = [self.peers_python, "-m", "benchmarks.speed.sides.convert", str(self.run / "model"), str(folder)]
            subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)

        return self._made(f"peers-{self._of_run}", make)

    @property
    def _of_run(self) -> str:
        """Tells the run, as it is now, from others."""
        return _digest(str(self.run), str((self.run / "model" / "model.safetensors").stat().st_mtime_ns))

    def _trained(self, kind: str) -> Path:
        """A tokenizer of the sentences of SST-2."""
        sentences = self._lines("sentences.txt", self._sentences)
        command = [sys.executable, "-m", "benchmarks.speed.trained_tokenizers", kind, str(sentences)]

        def make(folder: Path) -> None:
            subprocess.run([*command, str(folder)], check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)

        return self._made(f"{kind}-{_digest(str(self.sst2))}", make)

    def _published(self, name: str, file: str) -> Path:
        found = self.data and self.data / name
        if found and (found / file).is_file():
            return found.resolve()
        self.samples.add(name)
        return SAMPLES / name

    def _sentences(self) -> list[str]:
        lines = (self.sst2 / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
        found = [line.rpartition("\t")[0].strip() for line in lines]
        return found * (1 + MANY // len(found))

    def _lines(self, name: str, make: Callable[[], list[str]]) -> Path:
        self.work.mkdir(parents=True, exist_ok=True)
        path = self.work / name
        path.write_text("\n".join(make()) + "\n", encoding="utf-8")
        return path

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        """A folder that is there whole, or is made."""
        folder = self.work / name
        if not folder.exists():
            part = self.work / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            print(f"making {folder}", file=sys.stderr)
            make(part)
            part.rename(folder)
        return folder

    def _export(
        self, file_format: str, *flags: str, name: str | None = None, run: Path | None = None, data: object = "sample"
    ) -> Path:
        """An export of a run; None: of the run of SST-2, with room for the longest text. Made again where the library's
        code is another."""
        if run is None:
            run = self._made(f"long-{self._of_run}", self._lengthen)
        code = _digest(*(path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "bert_tf").rglob("*.py"))))

        def make(folder: Path) -> None:
            self._command(
                "export",
                f"--run={run}",
                f"--format={file_format}",
                f"--out={folder}",
                f"--data={data}",
                "--no-timing",
                *flags,
            )

        return self._made(f"{name or file_format}-{run.name}-{code}", make)

    def _lengthen(self, folder: Path) -> None:
        from bert_tf.config import read_config, to_toml

        shutil.copytree(self.run, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("checkpoints", "report"))
        config = read_config(folder / "config.toml")
        data = config.data.model_copy(update={"sequence_length": LONGEST})
        (folder / "config.toml").write_text(to_toml(config.model_copy(update={"data": data})), encoding="utf-8")

    def _command(self, command: str, *flags: str) -> None:
        subprocess.run([sys.executable, "-m", f"bert_tf.{command}", *flags], check=True, cwd=REPOSITORY,
                       stdout=subprocess.DEVNULL)  # fmt: skip

    def _python(self, code: str, *arguments: object) -> None:
        """In a process of its own, so that TensorFlow is not in this one."""
        command = [sys.executable, "-c", f"import sys; {code}", *map(str, arguments)]
        subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)


def make_base(folder: str) -> None:
    """Writes BERT-base with random weights."""
    from bert_tf.models import BertBackbone, size_config
    from bert_tf.models.pretrained import save_model
    from bert_tf.text import BertTokenizer

    save_model(BertBackbone(size_config("base")), folder, BertTokenizer.from_pretrained("minilm"))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]
