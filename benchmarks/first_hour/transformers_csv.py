# pyright: reportMissingImports=false, reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# The same job with Transformers: a CSV to a model, its mistakes, and a CSV of predictions.
import sys

import numpy as np
import pandas as pd
from datasets import Dataset
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments, set_seed

set_seed(1)
table = pd.read_csv("messages.csv")
names = sorted(table["category"].unique())
table["label"] = table["category"].map(names.index)
train, dev = train_test_split(table, test_size=0.2, stratify=table["label"], random_state=1)

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForSequenceClassification.from_pretrained(
    sys.argv[1], num_labels=len(names), id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)}
)


def encoded(rows):
    data = Dataset.from_pandas(rows, preserve_index=False)
    return data.map(lambda batch: tokenizer(batch["message"], truncation=True), batched=True)


def scores(prediction):
    return {"accuracy": accuracy_score(prediction.label_ids, prediction.predictions.argmax(-1))}


arguments = TrainingArguments(
    output_dir="out",
    num_train_epochs=float(sys.argv[2]),
    learning_rate=float(sys.argv[3]),
    eval_strategy="epoch",
    save_strategy="epoch",
    load_best_model_at_end=True,
    metric_for_best_model="accuracy",
    report_to=[],
)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=encoded(train),
    eval_dataset=encoded(dev),
    processing_class=tokenizer,
    compute_metrics=scores,
)
trainer.train()
trainer.save_model("model")

logits = trainer.predict(encoded(dev)).predictions
dev["answer"] = [names[i] for i in logits.argmax(-1)]
print("accuracy", accuracy_score(dev["category"], dev["answer"]))
dev[dev["answer"] != dev["category"]].to_csv("mistakes.csv", index=False)

new = pd.read_csv("new_messages.csv")
logits = trainer.predict(encoded(new)).predictions
probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
new["label"] = [names[i] for i in logits.argmax(-1)]
new["score"] = probabilities.max(-1)
new.to_csv("answers.csv", index=False)
