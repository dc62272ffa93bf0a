# pyright: reportMissingImports=false
# The same job with Transformers: doccano's spans to a model that finds them.
import json
import sys
from pathlib import Path

import numpy as np
from datasets import Dataset
from seqeval.metrics import f1_score
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
    pipeline,
    set_seed,
)

set_seed(1)
rows = [json.loads(line) for line in Path("orders.jsonl").read_text(encoding="utf-8").splitlines()]
types = sorted({label for row in rows for _, _, label in row["label"]})
names = ["O", *(f"{mark}-{name}" for name in types for mark in "BI")]
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])


def encoded(row):
    batch = tokenizer(row["text"], truncation=True, return_offsets_mapping=True)
    labels = []
    for start, end in batch.pop("offset_mapping"):
        label = -100 if start == end else 0
        for first, last, name in row["label"]:
            if first <= start and end <= last and start < end:
                label = names.index(f"{'B' if start == first else 'I'}-{name}")
        labels.append(label)
    return {**batch, "labels": labels}


def scores(prediction):
    answers = prediction.predictions.argmax(-1)
    kept = prediction.label_ids != -100
    true = [[names[i] for i in row[mask]] for row, mask in zip(prediction.label_ids, kept, strict=True)]
    found = [[names[i] for i in row[mask]] for row, mask in zip(answers, kept, strict=True)]
    return {"f1": f1_score(true, found)}


data = Dataset.from_list([encoded(row) for row in rows]).train_test_split(0.2, seed=1)
model = AutoModelForTokenClassification.from_pretrained(
    sys.argv[1], num_labels=len(names), id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)}
)
arguments = TrainingArguments(
    output_dir="out",
    num_train_epochs=float(sys.argv[2]),
    learning_rate=float(sys.argv[3]),
    eval_strategy="epoch",
    save_strategy="epoch",
    load_best_model_at_end=True,
    metric_for_best_model="f1",
    report_to=[],
)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=data["train"],
    eval_dataset=data["test"],
    processing_class=tokenizer,
    data_collator=DataCollatorForTokenClassification(tokenizer),
    compute_metrics=scores,
)
trainer.train()
print("f1", trainer.evaluate()["eval_f1"])

answers = trainer.predict(data["test"])
for row, mask in zip(answers.predictions.argmax(-1), answers.label_ids != -100, strict=True):
    print([names[i] for i in np.asarray(row)[mask]])
find = pipeline("token-classification", model=model.to("cpu"), tokenizer=tokenizer, aggregation_strategy="simple")
print(find("Ida Lund asks about order Z-1001 of last Friday."))
