"""MediaPipe's half of mediapipe_check.py, run by a Python that has MediaPipe: texts in, answers out, as JSON.

Or, with "task_library" for its first argument, the TFLite Task Library's half, run by a Python with tflite-support.
"""

import ctypes
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
    _preload_libusb()
    text = importlib.import_module("tensorflow_lite_support.python.task.text")
    if task == "embed":
        embedder = importlib.import_module(f"{text.__name__}.text_embedder").TextEmbedder.create_from_file(path)
        return lambda sentence: [float(x) for x in embedder.embed(sentence).embeddings[0].feature_vector.value]
    if task == "classify":
        module = importlib.import_module(f"{text.__name__}.bert_nl_classifier")
        classifier = module.BertNLClassifier.create_from_file(path)
        return lambda sentence: {
            category.category_name: category.score
            for category in classifier.classify(sentence).classifications[0].categories
        }
    module = importlib.import_module(f"{text.__name__}.bert_question_answerer")
    answerer = module.BertQuestionAnswerer.create_from_file(path)

    def answer(pair):
        found = answerer.answer(context=pair[1], question=pair[0]).answers
        return found[0].text if found else ""

    return answer


def _preload_libusb():
    """The Task Library's binaries want it, for a device that is not used; where the system lacks it, the package
    libusb-package has it."""
    try:
        path = importlib.import_module("libusb_package").get_library_path()
    except ImportError:
        return
    ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


if __name__ == "__main__":
    main()
