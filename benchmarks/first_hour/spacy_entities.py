# pyright: reportMissingImports=false
# The same job with spaCy: doccano's spans to a model that finds them; `spacy train` runs between the two halves.
import json
import random
import subprocess
import sys
from pathlib import Path

import spacy
from spacy.tokens import DocBin

rows = [json.loads(line) for line in Path("orders.jsonl").read_text(encoding="utf-8").splitlines()]
random.Random(1).shuffle(rows)
cut = len(rows) // 5
blank = spacy.blank("en")
for name, part in (("dev", rows[:cut]), ("train", rows[cut:])):
    docs = DocBin()
    for row in part:
        doc = blank.make_doc(row["text"])
        spans = [doc.char_span(start, end, label=label) for start, end, label in row["label"]]
        doc.ents = [span for span in spans if span is not None]
        docs.add(doc)
    docs.to_disk(f"{name}.spacy")

python = [sys.executable, "-m", "spacy"]
subprocess.run([*python, "init", "config", "config.cfg", "--lang=en", "--pipeline=ner", "--force"], check=True)
paths = ["--paths.train=train.spacy", "--paths.dev=dev.spacy", "--output=out"]
subprocess.run([*python, "train", "config.cfg", *paths], check=True)

nlp = spacy.load("out/model-best")
for row in rows[:cut]:
    found = [(entity.start_char, entity.end_char, entity.label_) for entity in nlp(row["text"]).ents]
    if found != [tuple(span) for span in row["label"]]:
        print(row["text"], found)
text = "Ida Lund asks about order Z-1001 of last Friday."
print([(entity.text, entity.label_) for entity in nlp(text).ents])
