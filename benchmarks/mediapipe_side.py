"""MediaPipe's half of mediapipe_check.py, run by a Python that has MediaPipe: texts in, answers out, as JSON.

Or, with "task_library" for its first argument, the TFLite Task Library's half, run by a Python with tflite-support.
"""

import importlib
import json
import sys


def main() -> None:
    library, task, path = sys.argv[1:]
    texts = json.load(sys.stdin)
    answer = {"mediapipe": mediapipe, "task_library": task_library}[library](task, path)
    json.dump([answer(text) for text in texts], sys.stdout)


def mediapipe(task, path):
    text = importlib.import_module("mediapipe.tasks.python.text")
    options = importlib.import_module("mediapipe.tasks.python.core.base_options")
    base = options.BaseOptions(model_asset_path=path)
    if task == "classify":
        classifier = text.TextClassifier.create_from_options(text.TextClassifierOptions(base_options=base))
        return lambda sentence: {
            category.category_name: category.score
            for category in classifier.classify(sentence).classifications[0].categories
        }
    embedder = text.TextEmbedder.create_from_options(text.TextEmbedderOptions(base_options=base))
    return lambda sentence: [float(value) for value in embedder.embed(sentence).embeddings[0].embedding]


def task_library(task, path):
    text = importlib.import_module("tflite_support.task").text
    if task == "classify":
        classifier = text.BertNLClassifier.create_from_file(path)
        return lambda sentence: {
            category.category_name: category.score
            for category in classifier.classify(sentence).classifications[0].categories
        }
    answerer = text.BertQuestionAnswerer.create_from_file(path)

    def answer(pair):
        found = answerer.answer(context=pair[1], question=pair[0]).answers
        return found[0].text if found else ""

    return answer


if __name__ == "__main__":
    main()
