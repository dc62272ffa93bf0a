"""The names of a head's classes, from a config.json whose names may not fit the head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


def class_names(raw: Mapping[str, Any], num_classes: int) -> tuple[tuple[str, ...] | None, str | None]:
    """Names of the classes 0 to C-1, from `id2label`, or else `label2id`.

    A name that fits is used; a class without one, or with one that another class has too, is LABEL_n, as in
    Transformers.

    Args:
        raw: config.json.
        num_classes: number C of classes of the head in the file.
    Returns: C different names, or None where the file has none; and what was wrong with them, or None.
    """
    stated = next((raw[key] for key in ("num_labels", "_num_labels") if raw.get(key) is not None), num_classes)
    counts = [] if stated == num_classes else [f"`num_labels` is {stated}, the head has {num_classes} classes"]
    read = {key: _by_number(key, raw[key], num_classes) for key in ("id2label", "label2id") if raw.get(key)}
    if not read:
        return None, "; ".join(counts) or None
    whole = [key for key, (names, _) in read.items() if len(names) == num_classes]
    key = whole[0] if whole else next(iter(read))
    found, wrong = read[key]
    wrong = [*counts, *wrong]
    if key == "label2id" and "id2label" in read:
        wrong = [*counts, *read["id2label"][1], "`label2id` is used"]
    elif key == "id2label" and "label2id" in whole and _contradict(found, read["label2id"][0]):
        others = ", ".join(read["label2id"][0][number] for number in range(num_classes))
        wrong.append(f"`label2id` has other names for the classes, {others}: `id2label` is used, as in Transformers")
    times = Counter(found.values())
    twice = sorted(name for name, count in times.items() if count > 1)
    if twice:
        wrong.append(f"several classes are named {', '.join(twice)}")
    names = {number: name for number, name in found.items() if times[name] == 1}
    spare = {number: f"LABEL_{number}" for number in range(num_classes) if number not in names}
    if set(spare.values()) & set(names.values()):  # a name such as LABEL_2 for class 1
        names, spare = {}, {number: f"LABEL_{number}" for number in range(num_classes)}
    labels = tuple((names | spare)[number] for number in range(num_classes))
    return labels, "; ".join(wrong) or None


def _contradict(names: Mapping[int, str], others: Mapping[int, str]) -> bool:
    """Whether two sets of names differ; LABEL_n is what is written where nobody gave names, and says nothing."""
    return names != others and any(name != f"LABEL_{number}" for number, name in others.items())


def _by_number(key: str, value: Any, num_classes: int) -> tuple[dict[int, str], list[str]]:
    """Class -> name, of those in [0, C); and what is wrong with the rest."""
    wrong: list[str] = []
    if isinstance(value, list):
        pairs = list(enumerate(value))
        wrong.append(f"`{key}` is a list, taken as the names of the classes in order")
    elif isinstance(value, Mapping):
        pairs = [(number, name) for name, number in value.items()] if key == "label2id" else list(value.items())
    else:
        return {}, [f"`{key}` is a {type(value).__name__}"]
    names: dict[int, str] = {}
    for number, name in pairs:
        try:
            place = int(number)
        except (TypeError, ValueError):
            wrong.append(f"`{key}` has a class {number!r}, which is no number")
            continue
        if not 0 <= place < num_classes:
            wrong.append(f"`{key}` names a class {place}, the head has {num_classes}")
        elif place in names and names[place] != str(name):
            wrong.append(f"`{key}` has two names for class {place}: {names[place]}, {name}")
        else:
            names[place] = str(name)
    absent = [str(number) for number in range(num_classes) if number not in names]
    if absent:
        wrong.append(f"`{key}` has no name for class {', '.join(absent)}")
    return names, wrong
