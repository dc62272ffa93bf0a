"""ROUGE of a dialogsum run's summaries by py-rouge, whose scale comes nearest to that of the data set's paper.

    pip install --target /tmp/py_rouge py-rouge
    PYTHONPATH=/tmp/py_rouge python -m benchmarks.dialogsum_rouge --run=runs/dialogsum --data=FOLDER

Its ROUGE-L differs from rouge-score's: it joins the sentences of a summary, and counts long runs of words more
(`weight_factor` 1.2). The task's simple answers are scored too: lead_3 and longest_utterance stand in the paper, with
27.50/6.78/27.31 and 24.15/6.25/22.73, and show how near this is to its scale. NLTK's data files are not needed.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse

import nltk
import sentencex

from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import TextToText
from bert_tf.kinds.definitions import load_task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="a finished run of --task=dialogsum")
    parser.add_argument("--data", required=True, help="folder with DialogSum_Data.zip")
    parser.add_argument("--split", default="test")
    flags = parser.parse_args()

    from rouge import Rouge

    words = nltk.tokenize.NLTKWordTokenizer()
    nltk.sent_tokenize = lambda text, language="english": [
        part for part in sentencex.segment("en", text) if part.strip()
    ]
    nltk.word_tokenize = lambda text, language="english": words.tokenize(text)
    scorer = Rouge(
        metrics=["rouge-n", "rouge-l"],
        max_n=2,
        limit_length=False,
        apply_avg=True,
        apply_best=False,
        alpha=0.5,
        weight_factor=1.2,
        stemming=True,
    )
    task = load_task("dialogsum")
    assert isinstance(task, TextToText)
    examples = task.read(flags.data, flags.split)
    assert examples.references is not None
    found = {name: [answer(text) for text in examples.texts] for name, answer in task.simple_answers.items()}
    pipeline = Pipeline(flags.run)
    found["the run"] = [answer["generated"] for answer in pipeline(list(examples.texts))]
    for name, texts in found.items():
        scores = scorer.get_scores(texts, [list(references) for references in examples.references])
        print(f"{name:20s}", " / ".join(f"{100 * scores[key]['f']:.2f}" for key in ("rouge-1", "rouge-2", "rouge-l")))


if __name__ == "__main__":
    main()
