# pyright: reportMissingImports=false, reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# The same job with KerasHub: a CSV to a model, its mistakes, and a CSV of predictions.
import sys

import keras
import keras_hub
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(1)
table = pd.read_csv("messages.csv")
names = sorted(table["category"].unique())
table["label"] = table["category"].map(names.index)
train, dev = train_test_split(table, test_size=0.2, stratify=table["label"], random_state=1)

backbone = keras_hub.models.BertBackbone.from_preset(sys.argv[1])
tokenizer = keras_hub.models.BertTokenizer.from_preset(sys.argv[1])
preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=32)
model = keras_hub.models.BertTextClassifier(backbone, num_classes=len(names), preprocessor=preprocessor)
model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=keras.optimizers.AdamW(float(sys.argv[3])),
    metrics=["accuracy"],
)
best = keras.callbacks.ModelCheckpoint("best.weights.h5", "val_accuracy", save_best_only=True, save_weights_only=True)
model.fit(
    train["message"].tolist(),
    train["label"].to_numpy(),
    validation_data=(dev["message"].tolist(), dev["label"].to_numpy()),
    batch_size=8,
    epochs=int(float(sys.argv[2])),
    callbacks=[best],
    verbose=2,
)
model.load_weights("best.weights.h5")
model.save_to_preset("model")

answers = model.predict(dev["message"].tolist()).argmax(-1)
dev["answer"] = [names[i] for i in answers]
print("accuracy", (dev["answer"] == dev["category"]).mean())
dev[dev["answer"] != dev["category"]].to_csv("mistakes.csv", index=False)

new = pd.read_csv("new_messages.csv")
logits = model.predict(new["message"].tolist())
probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
new["label"] = [names[i] for i in logits.argmax(-1)]
new["score"] = probabilities.max(-1)
new.to_csv("answers.csv", index=False)
