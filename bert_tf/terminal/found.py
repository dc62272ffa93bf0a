"""What a terminal shows of texts that were found: which document, how near, and the part of it that a query is near."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bert_tf.terminal.parts import Line, Marked, Part, Span

WORD = re.compile(r"\w+")
SHORTEST = 4  # characters of a word that is marked: shorter ones are mostly of no weight
LONGEST, BEFORE = 400, 80  # characters that are shown of a text, and before the first word of the query


def result_parts(query: str, results: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Parts of the results of a query, the nearest first; words of the query are marked where a text has them.

    Args:
        results: each with `id`, `score` and `text`, and perhaps `title` and `line`.
    """
    wanted = {word.casefold() for word in WORD.findall(query) if len(word) >= SHORTEST}
    parts: list[Part] = [Line(query, is_input=True)]
    for rank, result in enumerate(results, start=1):
        line = f", line {result['line']}" if "line" in result else ""
        title = f": {result['title']}" if result.get("title") else ""
        parts.append(Line(f"{rank:3}. {result['score']:.3f}  {result['id']}{line}{title}"))
        text = " ".join(result["text"].split())
        spans = [Span(*match.span()) for match in WORD.finditer(text) if match[0].casefold() in wanted]
        first = max(spans[0].start - BEFORE, 0) if spans and len(text) > LONGEST else 0
        first = min(first, max(len(text) - LONGEST, 0))
        inside = [
            Span(span.start - first, span.end - first)
            for span in spans
            if span.start >= first and span.end <= first + LONGEST
        ]
        cut = ("... " if first else "", " ..." if first + LONGEST < len(text) else "")
        moved = [Span(span.start + len(cut[0]), span.end + len(cut[0])) for span in inside]
        parts.append(Marked(f"{cut[0]}{text[first : first + LONGEST]}{cut[1]}", moved, is_quiet=True))
    if not results:
        parts.append(Line("nothing was found"))
    return parts
