"""A row for each file and consumer: what it did, and whether that is what the export says."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.consumers.cases import CONTEXTS, TEXTS, Case

ROOT = Path(__file__).resolve().parents[2]
PHONE_SIDE, HUB_SIDE = ROOT / "benchmarks" / "mediapipe_side.py", Path(__file__).with_name("hub_side.py")
EQUAL = 2e-5
SECONDS = 300
ANSWERS, ANSWER_TOKENS = 5, 32  # of the Task Library's BertQuestionAnswerer
QUANTIZATIONS = "float32,float16,int8,static_int8"
READERS = {"classify": "classifier", "embed": "embedder", "answer": "answerer"}
Pythons = Mapping[str, "str | None"]


@dataclass(frozen=True, kw_only=True)
class Row:
    format: str
    case: str
    file: str
    consumer: str
    found: str
    is_right: bool


def exported(run: Path, out: Path, format_name: str, *flags: str) -> Path:
    """Runs the command without its lines. Raises: UserError where it refuses."""
    from bert_tf import export

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        own = [f"--task={run / 'own.py'}"] if (run / "own.py").is_file() else []  # rows in memory stand in it
        export.main([f"--run={run}", *own, f"--format={format_name}", f"--out={out}", "--no-timing", "--tolerance=100",
                     "--examples=5", *flags])  # fmt: skip
    return out


def rows_of_tflite(name: str, case: Case, run: Path, folder: Path, pythons: Pythons) -> Iterator[Row]:
    from bert_tf.runtimes.tflite import LiteFile

    for length in case.lengths:
        quantizations = QUANTIZATIONS if length == "fixed" else "float32,float16,int8"
        out = exported(run, folder / length, "tflite", f"--quantize={quantizations}", "--set", f"length={length}",
                       "calibration_examples=4")  # fmt: skip
        described = json.loads((out / "task.json").read_text(encoding="utf-8"))
        for model in described["models"]:
            path = out / model["file"]
            rows = inputs_of(run, LiteFile(path), case)
            shared = {"format": "tflite", "case": name, "file": f"{model['quantization']}, {length}"}
            file = LiteFile(path)
            ours = [file(row) for row in rows]
            for library in ("MediaPipe", "Task Library"):
                if case.reader and pythons[library] and not (library == "MediaPipe" and case.reader == "answer"):
                    found = phone(str(pythons[library]), library, case.reader, path)
                    expected = ours if case.reader != "answer" else spans(run, rows, ours)
                    yield judged(found, expected, library, case, described, model, shared)
            if pythons["PyTorch"] and model["quantization"] == "float32" and length == "fixed":
                request = {"inputs": {name: value.tolist() for name, value in rows[0].items()}}
                found = hub(str(pythons["PyTorch"]), "openvino", path, request, folder)
                yield opened(found, {f"{name}": value for name, value in ours[0].items()}, "OpenVINO", shared,
                             must=False)  # fmt: skip


def inputs_of(run: Path, file: Any, case: Case) -> list[dict[str, np.ndarray]]:
    """Rows with this library's tokenizer, [1, T] each, as long as a fixed file's, or as the run cuts texts."""
    from bert_tf.inference.pipeline import Pipeline

    pipeline = Pipeline(run)
    length = file.length or pipeline.sequence_length
    found = []
    for i, text in enumerate(TEXTS):
        sides = ([text],) if not case.pair else ([text[:40]], [CONTEXTS[i]])
        row = pipeline.tokenizer(*sides, max_length=length, padding="max_length" if file.length else "longest")
        columns = {"ids": "token_ids", "mask": "padding_mask", "segment_ids": "segment_ids"}
        found.append({theirs: np.asarray(row[ours], np.int32) for theirs, ours in columns.items()})
    return found


def phone(python: str, library: str, task: str, path: Path) -> Any:
    """A reader's answers, or a str that says why there are none."""
    texts: Sequence[Any] = (
        TEXTS if task != "answer" else list(zip([text[:40] for text in TEXTS], CONTEXTS, strict=True))
    )
    key = {"MediaPipe": "mediapipe", "Task Library": "task_library"}[library]
    command = [python, str(PHONE_SIDE), key, task, str(path)]
    try:
        done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=False,
                              timeout=SECONDS)  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer in {SECONDS} s"
    if done.returncode < 0:
        return f"its process ends with signal {-done.returncode}"
    if done.returncode:
        lines = [
            line for line in done.stderr.splitlines() if ("Error" in line or "found" in line) and "NoneType" not in line
        ]
        return lines[-1][-160:] if lines else f"status {done.returncode}"
    return json.loads(done.stdout[done.stdout.index("[") :])


def judged(found: Any, ours: Any, library: str, case: Case, described: Any, model: Any, shared: Any) -> Row:
    """A phone's reader: whether it did what task.json says."""
    reader = next((name for name in (*model["opens"], *model["cannot"]) if name.startswith(library)), library)
    says_opens = reader in model["opens"]
    shown = reader if says_opens else f"{library} ({case.reader})"
    if isinstance(found, str):
        return Row(**shared, consumer=shown, found=f"does not open: {found}", is_right=not says_opens)
    if case.reader == "answer":
        same = sum(text in accepted for text, accepted in zip(found, ours, strict=True))
        said = f"{sum(map(bool, found))} of {len(found)} answered, {same} as its rule has it"
        return Row(**shared, consumer=shown, found=said, is_right=says_opens and same == len(found))
    if case.reader == "embed":
        expected = np.concatenate([one["embedding"] for one in ours])
        largest = float(np.abs(np.array(found) - expected).max())
        return Row(**shared, consumer=shown, found=f"opens, differs by {largest:.1e}",
                   is_right=says_opens and largest <= closeness(model))  # fmt: skip
    labels, least = described["labels"], described["reject_below"]
    largest, rejected, wrong = 0.0, 0, False
    for scores, one in zip(found, ours, strict=True):
        expected = dict(zip(labels, one["probability"][0], strict=True))
        above = {name for name, p in expected.items() if p >= least} if library == "MediaPipe" else set(expected)
        wrong |= set(scores) != above
        rejected += not scores
        largest = max([largest, *(abs(score - expected[name]) for name, score in scores.items())])
    said = f"opens, differs by {largest:.1e}" + (f", {rejected} rejected" if least and library == "MediaPipe" else "")
    return Row(**shared, consumer=shown, found=said, is_right=says_opens and not wrong and largest <= closeness(model))


def spans(run: Path, rows: Sequence[Any], outputs: Sequence[Any]) -> list[set[str]]:
    """What BertQuestionAnswerer's documented rule makes of a file's own outputs: of the five likeliest starts and the
    five likeliest ends of a whole row, padding and all, the best pair within the context, as words between spaces; ""
    if there is none. Rounding may swap pairs that are nearly alike, so that several can be right."""
    from bert_tf.inference.pipeline import Pipeline

    tokenizer, found = Pipeline(run).tokenizer, []
    for context, row, output in zip(CONTEXTS, rows, outputs, strict=True):
        starts, ends = output["start_logits"][0], output["end_logits"][0]
        words = context.split()
        first = int(np.flatnonzero(row["segment_ids"][0])[0])
        word_of = {}  # the token's place in the row -> the word's in the context
        for i, pieces in enumerate(tokenizer.tokenize(words).to_list()):
            word_of |= {first + len(word_of) + k: i for k in range(len(pieces))}
        pairs = {
            (start, end): float(starts[start] + ends[end])
            for start in np.argsort(-starts)[:ANSWERS]
            for end in np.argsort(-ends)[:ANSWERS]
            if start in word_of and end in word_of and start <= end < start + ANSWER_TOKENS
        }
        best = max(pairs.values(), default=0.0)
        texts = {" ".join(words[word_of[i] : word_of[k] + 1]) for (i, k), score in pairs.items() if score > best - 1e-4}
        found.append(texts or {""})
    return found


def closeness(model: Any) -> float:
    """In 8 bits with ranges fixed beforehand, kernels of other versions round otherwise."""
    return 0.1 if model["quantization"] == "static_int8" else 1e-4


def hub(python: str, job: str, place: Path, request: Any, folder: Path) -> Any:
    """Arrays by name, or a str that says why there are none."""
    asked, result = folder / "request.json", folder / "result.npz"
    asked.write_text(json.dumps(request), encoding="utf-8")
    result.unlink(missing_ok=True)
    command = [python, str(HUB_SIDE), job, str(place), str(asked), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode or not result.is_file():
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        return lines[-1][:160] if lines else f"status {done.returncode}"
    with np.load(result) as found:
        return {name: found[name] for name in found.files}


def opened(found: Any, expected: Mapping[str, np.ndarray], consumer: str, shared: Any, *, must: bool = True) -> Row:
    """One that gives arrays. `must`: whether a document names it, so that it must open the file."""
    if isinstance(found, str):
        return Row(**shared, consumer=consumer, found=f"does not open: {found}", is_right=not must)
    if missing := sorted(set(expected) - set(found)):
        return Row(**shared, consumer=consumer, found=f"gives {sorted(found)}, not {missing}", is_right=False)
    largest = max(float(np.abs(found[name] - value).max()) for name, value in expected.items())
    return Row(
        **shared, consumer=consumer, found=f"opens, differs by {largest:.1e}", is_right=largest <= EQUAL or not must
    )


def rows_of_saved_model(name: str, case: Case, run: Path, folder: Path, pythons: Pythons) -> Iterator[Row]:
    del pythons
    out = exported(run, folder / "saved", "saved_model", "--set", "batch_sizes=1") / "1"
    shared = {"format": "saved_model", "case": name, "file": "float32"}
    cli = "from tensorflow.python.tools.saved_model_cli import main; main()"
    done = program(["-c", cli, "show", "--all", "--dir", "."], out)
    yield Row(**shared, consumer="saved_model_cli show", found=done or "opens", is_right=not done)
    yield readme(out, shared, "tf.saved_model.load, fresh process")


def rows_of_keras(name: str, case: Case, run: Path, folder: Path, pythons: Pythons) -> Iterator[Row]:
    del case, pythons
    out = exported(run, folder / "keras", "keras")
    yield readme(out, {"format": "keras", "case": name, "file": "float32"}, "keras.saving.load_model, fresh process")


def readme(folder: Path, shared: Any, consumer: str) -> Row:
    code = (folder / "README.md").read_text(encoding="utf-8").split("```python\n")[1].partition("```")[0]
    done = program(["-c", code], folder)
    return Row(**shared, consumer=consumer, found=done or "opens, answers", is_right=not done)


def program(arguments: list[str], folder: Path) -> str:
    """Runs Python in a folder; what went wrong, or ""."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1][:160] if done.returncode else ""


def rows_of_hub(name: str, case: Case, run: Path, folder: Path, pythons: Pythons) -> Iterator[Row]:
    out = exported(run, folder / "hub", "huggingface")
    shared = {"format": "huggingface", "case": name, "file": "float32"}
    yield readme(out, shared, "bert_tf, fresh process")
    python = pythons["PyTorch"]
    if python is None:
        return
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.models import BertBackbone
    from bert_tf.weights.members import is_of_transformers

    pipeline = Pipeline(run)
    length = pipeline.sequence_length
    sides = [TEXTS] if not case.pair else [[text[:40] for text in TEXTS], CONTEXTS]
    inputs = pipeline.tokenizer(*sides, max_length=length)
    architecture = json.loads((out / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    found = hub(python, "transformers", out, {"texts": sides, "length": length}, folder)
    expected = outputs_of(pipeline.model, inputs, architecture)
    yield opened(found, expected, f"Transformers {architecture}", shared, must=is_of_transformers(architecture))
    if (out / "modules.json").is_file():
        vectors = pipeline.model(pipeline.tokenizer(TEXTS, max_length=length), training=False)
        found = hub(python, "sentence_transformers", out, {"texts": [TEXTS]}, folder)
        yield opened(found, {"vector": np.asarray(vectors)}, "sentence-transformers", shared)
    backbone = BertBackbone.from_pretrained(out)
    ids = [np.asarray(pipeline.tokenizer([text], max_length=length)["token_ids"]) for text in TEXTS]
    states = [backbone({"token_ids": row, "padding_mask": np.ones_like(row)})["sequence_output"] for row in ids]
    tokens = [[pipeline.tokenizer.vocabulary[i] for i in row[0]] for row in ids]
    found = hub(python, "ctranslate2", out, {"ids": tokens}, folder)
    expected = {"sequence_output": np.concatenate([np.asarray(state)[0] for state in states])}
    yield opened(found, expected, "CTranslate2's converter and encoder", shared, must=is_of_transformers(architecture))


def outputs_of(model: Any, inputs: Any, architecture: str) -> dict[str, np.ndarray]:
    """What this library gives, by Transformers' names; nothing for a class that Transformers has not."""
    if architecture not in ("BertModel", "BertForSequenceClassification", "BertForTokenClassification",
                            "BertForQuestionAnswering", "BertForMaskedLM", "BertForPreTraining"):  # fmt: skip
        return {}
    ids = {"token_ids": np.asarray(inputs["token_ids"])}
    if architecture == "BertModel":
        found = model.backbone(inputs, training=False)
        return ids | {"pooler_output": np.asarray(found["pooled_output"])}
    found = model(inputs, training=False)
    if architecture == "BertForQuestionAnswering":
        found = np.asarray(found)
        return ids | {"start_logits": found[..., 0], "end_logits": found[..., 1]}
    if isinstance(found, dict):
        names = {"masked_lm_logits": "prediction_logits", "pair_logits": "seq_relationship_logits"}
        if architecture == "BertForMaskedLM":
            names = {"masked_lm_logits": "logits"}
        return ids | {names[name]: np.asarray(value) for name, value in found.items() if name in names}
    return ids | {"logits": np.asarray(found)}
