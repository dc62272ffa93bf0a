"""Files as newcomers have them, unlike those of examples/, to try the first hour's commands on.

    python -m benchmarks.first_hour.odd_files FOLDER

German messages as Excel saves them on Windows (cp1252, semicolons, lines within cells, rows without text or label, a
class of one row), sentences in CoNLL's columns, a folder of notes of which one is in another encoding, and a long text
that has the answer to a question. docs/first_hour.md says what became of them.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

MESSAGES = {
    "Rechnung": (
        "Meine Rechnung Nr. {n} enthält eine falsche Größe und kostet {p} € zu viel.",
        "Warum wurde mir zweimal Geld abgebucht? Über {p} € im März!",
        "Ich möchte die Rechnung {n} per E-Mail, bitte ohne Gebühr.",
        "Die Mahnung für {n} ist ungültig, ich habe längst überwiesen.",
    ),
    "Lieferung": (
        "Das Paket {n} ist seit {d} Tagen überfällig.",
        "Wo bleibt meine Lieferung? Der Bote war nicht hier, obwohl es „zugestellt“ heißt.",
        "Der Karton {n} kam völlig durchnässt an.",
        "Sendung {n} hängt in Köln fest – seit {d} Tagen kein Update",
    ),
    "Rückgabe": (
        "Ich möchte den Kühlschrank {n} zurückgeben, er ist zu groß.",
        "Wie schicke ich die Hose zurück? Sie paßt nicht.",
        "Rücksendung {n}: wann bekomme ich {p} € erstattet?",
        "Umtausch der Schuhe in Größe 4{d} bitte",
    ),
    "Lob": (
        "Großartiger Service, danke schön an Frau Jäger!",
        "Alles bestens, {d} Sterne – gerne wieder.",
        "Schöne Schüssel, super verpackt; bin überglücklich.",
    ),
}
NEW = (
    "Wo ist mein Päckchen?",
    "Sie haben mir 20 € zu viel berechnet",
    "Danke, alles prima! Schöne Grüße",
    "Der Mantel ist zu groß, ich schicke ihn zurück",
)
NAMES = {
    "PER": ("Anna Krüger", "Paul Meyer", "Li Wei", "Sofia Rossi", "Tom O'Neill", "Zoë Schmidt", "Jean-Luc Petit"),
    "LOC": ("Köln", "New York", "São Paulo", "Leeds", "Porto", "Graz"),
    "ORG": ("Nordwind GmbH", "Acme", "Blue Fox Ltd", "Tesa & Co."),
}
SENTENCES = (
    "PER met PER in LOC on Monday .",
    "ORG opens an office in LOC .",
    "PER left ORG last year .",
    "The train from LOC to LOC was late .",
    "Why did ORG hire PER ?",
    "Nothing happened today .",
)
NOTES = {
    "garden.md": "# Garden\n\n## Tomatoes\nSow indoors in March.\n\n## Compost\nTurn the heap every six weeks.\n",
    "daily/2026-03-02.md": "Called the tax office about the missing certificate. They want it by the 15th of April.\n",
    "daily/2026-03-03.md": "Dinner at Mara's. The lentil soup: onions, carrots, red lentils, cumin, half a lemon.\n",
    "empty.md": "",
}


def main() -> None:
    folder, draw = Path(sys.argv[1]), random.Random(7)
    write_messages(folder, draw)
    write_sentences(folder / "news.conll", draw)
    for name, text in NOTES.items():
        (folder / "vault" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "vault" / name).write_text(text, encoding="utf-8")
    network = "# WLAN\r\nRouter neu starten: 10 Sekunden Stecker raus. Kennwort für Gäste: am Kühlschrank.\r\n"
    (folder / "vault" / "wlan.md").write_bytes(network.encode("cp1252"))
    rules = [f"Section {i}. Members meet in room {i} to discuss the plans of the association.\n" for i in range(1, 91)]
    rules[60] = "The annual fee is 48 euros and is due on the first of February. Pupils pay half.\n"
    (folder / "statutes.txt").write_text("\n".join(rules), encoding="utf-8")


def write_messages(folder: Path, draw: random.Random) -> None:
    """Of every 17 messages one has no label; the last has no text."""
    rows = []
    for name, texts in MESSAGES.items():
        for _ in range(36 if name != "Lob" else 20):
            text = draw.choice(texts).format(n=draw.randint(1000, 9999), p=draw.randint(5, 300), d=draw.randint(2, 9))
            rows.append([text + "\nMit freundlichen Grüßen\nJ. Weiß" * (draw.random() < 0.15), name])
    draw.shuffle(rows)
    for i in range(3, len(rows), 17):
        rows[i][1] = ""
    rows[40][1] = "Sonstiges"
    rows.append(["", "Lob"])
    write_table(folder / "anfragen.csv", [["Datum", "Nachricht", "Kategorie"], *(["1.3.2026", *row] for row in rows)])
    write_table(folder / "neu.csv", [["Nr", "Nachricht"], *([str(i), text] for i, text in enumerate(NEW))])


def write_table(path: Path, rows: list[list[str]]) -> None:
    """As Excel does it where the decimal comma is usual."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(rows)


def write_sentences(path: Path, draw: random.Random) -> None:
    """120 sentences, a word a line with its tag in the fourth column."""
    lines = ["-DOCSTART- -X- O O", ""]
    for _ in range(120):
        for word in draw.choice(SENTENCES).split():
            if word in NAMES:
                first, *rest = draw.choice(NAMES[word]).split()
                lines += [f"{first} NN X B-{word}", *(f"{each} NN X I-{word}" for each in rest)]
            else:
                lines.append(f"{word} NN X O")
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
