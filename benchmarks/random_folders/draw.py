"""What all writers draw from: a vocabulary, texts that are hard to tokenise, a draw that remembers its surprises."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

WORDS = ("good", "bad", "film", "the", "ran", "cafe", "café", "Good", "Film", "über", "東", "京", "が", "1", "20", "-")
PIECES = ("##s", "##ed", "##ing", "##1", "##9", "##é", "##が")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = (*SPECIAL, *WORDS, *".,!?'", *PIECES, *ascii_lowercase[:14], *(f"##{c}" for c in ascii_lowercase[:14]))
ORDINARY = ("covid19", "new york", "Straße", "e1", "#tag", "can't")  # as add_tokens takes them
NAMED = ("<user>", "[E1]", "<Url>")  # as add_special_tokens takes them

TEXTS = (
    "the good film.", "A BAD Film, covid19 E1!", "Café über CAFE\u0301s", "今日は東京が good", "",
    "the [MASK] film [SEP] [sep]", "New York new  york  e1e1", "<user> can't <Url>x [E1][E1]", "İstanbul Straße #tags",
    "x\u200bgood\ufffd\x07bad \u00a0film", "good" * 30, "a 20-1 'film' 2019ing", "covid 19 COVID19 ecovid19",
    "film\tfilm\nfilm\u2028film", "🙂 good🙂film", "ＦＩＬＭ ﬁlm Ⅳ", "bad!?!? ...good", "e1, #tag; <user>!",
)  # fmt: skip
PAIRS = ("bad.", "The film RAN", "東京", "good good good good good good good good", "new york <user>", "")


class Draw(random.Random):
    """Random choices; what is not the usual one is noted, as what a refusal may name."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.surprises: dict[str, Any] = {}

    def setting(self, name: str, usual: Any, others: Sequence[Any], share: float = 0.15) -> Any:
        """`usual`, or with probability `share` one of `others`, which is noted under `name`."""
        if self.random() >= share:
            return usual
        value = self.choice(list(others))
        self.surprises[name] = value
        return value

    def happens(self, name: str, share: float) -> bool:
        """True with probability `share`, and then noted."""
        return bool(self.setting(name, False, [True], share))


def some_texts(draw: Draw, count: int = 5) -> list[str]:
    return draw.sample(TEXTS, count)


def rounded(array: Any) -> Any:
    """Nested lists of floats with 8 digits: enough for 1e-5, and short."""
    if hasattr(array, "tolist"):
        array = array.tolist()
    return [rounded(part) for part in array] if isinstance(array, list) else float(f"{array:.8g}")


def write_truth(folder: Path, draw: Draw, **truth: Any) -> None:
    """truth.json: which library of which version gave what, and the settings that are not the usual ones."""
    value = {**truth, "surprises": {name: repr(value) for name, value in draw.surprises.items()}}
    (folder / "truth.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def patch_json(path: Path, remove: Iterable[str] = (), **values: Any) -> None:
    """Changes keys of a JSON object in a file, or begins the file."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = {name: value for name, value in {**found, **values}.items() if name not in set(remove)}
    path.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
