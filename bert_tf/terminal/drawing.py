"""Draws what a terminal shows. The one place that knows how answers look: colours, bars, widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from bert_tf.terminal.literal import literal
from bert_tf.terminal.parts import Line, Marked, Part, Shares, Vector, Weighed, weighed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MOST_BARS = 5  # the others are counted
WIDEST_BAR, WIDEST_NAME = 30, 40  # columns
LONGEST_INPUT = 400  # characters
FURTHER_IN = 5  # columns
MOST_COMPARED = 12  # vectors
MOST_WORDS = 8
LONGEST_WEIGHED = 1200  # characters
FOR = ("rgb(208,228,244)", "rgb(160,203,233)", "rgb(112,178,222)", "rgb(64,153,211)")
AGAINST = ("rgb(250,226,206)", "rgb(245,196,158)", "rgb(240,167,110)", "rgb(235,138,62)")
"""Of words that count, from little to much; black is read on all of them."""
COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
"""Of labels, in the order in which they first appear."""
DIM, CHOSEN, ERROR = "dim", "bold", "bold red"


class Drawing:
    """Draws parts on a terminal, without colours where NO_COLOR is set or the output is no terminal.

    Args:
        out: where to.
        console: rich's, in place of one for `out`.

    >>> import io
    >>> out = io.StringIO()
    >>> Drawing(out).parts([Line("A good film.", is_input=True), Shares({"bad": 0.25, "good": 0.75}, ("good",))])
    >>> print(out.getvalue().replace(" ", "."))
    A.good.film.
    ..good...75.0.%..██████████████████████▌
    ..bad....25.0.%..███████▌
    <BLANKLINE>
    """

    def __init__(self, out: IO[str], console: Console | None = None) -> None:
        from rich.console import Console

        self.console = console or Console(file=out, highlight=False, markup=False, emoji=False)
        self._colours: dict[str, str] = {}
        self._vectors: list[Vector] = []

    def parts(self, parts: Sequence[Part]) -> None:
        """Draws the parts of one answer, one below the other."""
        for part in parts:
            for line in self._lines(part):
                self.console.print(line, soft_wrap=False)

    def error(self, message: str) -> None:
        """Says why there is no answer."""
        self.console.print(self._text(f"error: {message}", ERROR))

    def others(self, columns: Mapping[str, Any]) -> None:
        """The other columns of an input, in a line."""
        if columns:
            cells = ", ".join(f"{name}: {cell}" for name, cell in columns.items())
            self.console.print(self._text(_cut(cells, self.console.width), DIM))

    def space(self) -> None:
        """An empty line."""
        self.console.print()

    def finish(self) -> None:
        """Draws what needs all answers: how alike the vectors are."""
        if 2 <= len(self._vectors) <= MOST_COMPARED:
            self._compare(self._vectors)
        self._vectors = []

    def _lines(self, part: Part) -> Iterator[Any]:
        if isinstance(part, Line):
            text = self._text(_cut(part.text, LONGEST_INPUT) if part.is_input else part.text)
            if part.name:
                text = self._text("  ").append_text(self._text(f"{part.name}: ", DIM)).append_text(text)
            yield text
        elif isinstance(part, Shares):
            yield from self._bars(part)
        elif isinstance(part, Marked):
            yield self._further_in(self._marked(part)) if part.is_quiet else self._marked(part)
            if part.is_listed:
                yield from self._listed(part)
        elif isinstance(part, Weighed):
            yield from self._weighed(part)
        else:
            self._vectors.append(part)
            begin = ", ".join(f"{value:.3f}" for value in part.values[:4])
            more = ", ..." if len(part.values) > 4 else ""
            yield self._text(_cut(part.text, LONGEST_INPUT))
            yield self._text(f"  {len(part.values)} numbers: {begin}{more}", DIM)

    def _bars(self, part: Shares) -> Iterator[Text]:
        if part.name:
            yield self._text(f"  {part.name}", DIM)
        ranked = sorted(part.shares.items(), key=lambda item: -item[1])
        shown = ranked[:MOST_BARS] if len(ranked) > MOST_BARS + 1 else ranked
        shown += [item for item in ranked[len(shown) :] if item[0] in part.chosen]
        width = self.console.width
        names = [self._fitted(name, max(min(WIDEST_NAME, width - 13), 4)) for name, _ in shown]
        widest = max((name.cell_len for name in names), default=0)
        room = min(WIDEST_BAR, width - widest - 14)  # two spaces, the name, two, "100.0 %", two, one left free
        for name, (key, share) in zip(names, shown, strict=True):
            name.pad_right(widest - name.cell_len)
            line = self._text("  ").append_text(name).append_text(self._text(f"{100 * share:7.1f} %"))
            if room >= 4:
                line.append_text(self._text(f"  {self._bar(share, room)}"))
            line.rstrip()
            if key in part.chosen:
                line.stylize(CHOSEN)
            elif part.chosen:
                line.stylize(DIM)
            yield line
        if len(shown) < len(ranked):
            most = max(share for name, share in ranked if (name, share) not in shown)
            yield self._text(f"  {len(ranked) - len(shown)} more, each {100 * most:.1f} % or less", DIM)

    def _bar(self, share: float, width: int) -> str:
        """A bar in eighths of a column, or in # where a terminal has no blocks."""
        eighths = round(8 * width * min(max(share, 0.0), 1.0))
        if self.console.options.ascii_only:
            return "#" * round(eighths / 8)
        return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()

    def _marked(self, part: Marked) -> Text:
        first, last, spans = 0, len(part.text), [span for span in part.spans if span.start < span.end]
        if part.around is not None:
            ends = (spans[0].start, spans[-1].end) if spans else (0, 0)
            first, last = _edge(part.text, ends[0] - part.around, -1), _edge(part.text, ends[1] + part.around, 1)
        line = self._text(f"{part.name}: ", DIM) if part.name else self._text("")
        line.append_text(self._text("... " if first else ""))
        at = first
        for span in spans:
            colour = self._colour(span.label)
            line.append_text(self._text(part.text[at : span.start]))
            if part.is_quiet:
                line.append_text(self._text(part.text[span.start : span.end], CHOSEN))
            elif span.label:
                line.append_text(self._text("[", f"bold {colour}"))
                line.append_text(self._text(part.text[span.start : span.end], f"bold {colour}"))
                line.append_text(self._text(f" {span.label}]", colour))
            else:
                line.append_text(self._text("[", f"bold {colour}"))
                line.append_text(self._text(part.text[span.start : span.end], f"bold reverse {colour}"))
                line.append_text(self._text("]", f"bold {colour}"))
            at = span.end
        line.append_text(self._text(part.text[at:last]))
        return line.append_text(self._text(" ..." if last < len(part.text) else ""))

    def _further_in(self, text: Text) -> Any:
        from rich.padding import Padding

        return Padding(text, (0, 0, 0, FURTHER_IN), expand=False)

    def _weighed(self, part: Weighed) -> Iterator[Any]:
        """The text, its words on blue where they count for the answer and on orange where against it; and the heaviest
        of them in words, as not every terminal has colours. Of a long text what is around the piece that counts."""
        most = max((abs(weight) for _, _, weight in part.weights), default=0.0) or 1.0
        first, last = 0, len(part.text)
        if len(part.text) > LONGEST_WEIGHED and part.weights:
            heaviest = max(part.weights, key=lambda item: abs(item[2]))[:2]
            start, end = part.focus or heaviest
            first = _edge(part.text, start - LONGEST_WEIGHED // 2, -1)
            last = _edge(part.text, max(end, first) + LONGEST_WEIGHED // 2, 1)
        line, at = self._text("... " if first else ""), first
        for start, end, weight in part.weights:
            if start < first or end > last:
                continue
            line.append_text(self._text(part.text[at:start]))
            level = round(4 * abs(weight) / most)
            ink = f"black on {(FOR if weight > 0 else AGAINST)[level - 1]}" if level else ""
            line.append_text(self._text(part.text[start:end], ink))
            at = end
        line.append_text(self._text(part.text[at:last]))
        yield self._further_in(line.append_text(self._text(" ..." if last < len(part.text) else "")))
        heaviest = sorted(part.weights, key=lambda item: -abs(item[2]))[:MOST_WORDS]
        answer = _cut(" ".join(part.answer.split()), WIDEST_NAME)
        for sign, says in ((1, f"for {answer}"), (-1, f"against {answer}")):
            words = [(start, end, weight) for start, end, weight in heaviest if sign * weight > 0]
            if words:
                said = ", ".join(f"{part.text[start:end]} {weight:+.2f}" for start, end, weight in words)
                yield self._further_in(self._text(f"{says}: {said}", DIM))

    def _listed(self, part: Marked) -> Iterator[Text]:
        labels = [self._fitted(span.label, WIDEST_NAME) for span in part.spans]
        widest = max((label.cell_len for label in labels), default=0)
        for span, label in zip(part.spans, labels, strict=True):
            label.pad_right(widest - label.cell_len)
            label.stylize(self._colour(span.label))
            score = "" if span.score is None else f"{100 * span.score:7.1f} %"
            text = part.text[span.start : span.end].replace("\n", " ")
            yield self._text("  ").append_text(label).append_text(self._text(f"{score}  {text}"))

    def _compare(self, vectors: Sequence[Vector]) -> None:
        """A table of the cosines between all of the vectors."""
        import numpy as np
        from rich.table import Table

        values = np.array([vector.values for vector in vectors], np.float64)
        units = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        cosines = units @ units.T
        table = Table(box=None, padding=(0, 1), title=self._text("how alike (cosine)", DIM), title_justify="left")
        table.add_column("", justify="right", style=DIM, no_wrap=True)
        table.add_column("", no_wrap=True, max_width=max(self.console.width - 7 * len(vectors) - 8, 8))
        for i in range(len(vectors)):
            table.add_column(str(i + 1), justify="right", no_wrap=True)
        for i, vector in enumerate(vectors):
            text = self._text(_cut(vector.text.replace("\n", " "), WIDEST_NAME))
            table.add_row(str(i + 1), text, *(f"{value:.2f}" for value in cosines[i]))
        self.console.print(table)

    def _colour(self, label: str) -> str:
        return self._colours.setdefault(label, COLOURS[len(self._colours) % len(COLOURS)])

    def _fitted(self, name: str, width: int) -> Text:
        text = self._text(name.replace("\n", " "))
        text.truncate(width, overflow="ellipsis")
        return text

    def _text(self, text: str, style: str = "") -> Text:
        from rich.text import Text

        return Text(literal(text, self.console.encoding), style)


class Drawn:
    """Draws answers one after another; stands where what writes them to a file does.

    Args:
        out: where to.
        shown: the parts of an answer.
        console: as `Drawing`'s.
    """

    def __init__(
        self, out: IO[str], shown: Callable[[Mapping[str, Any]], Sequence[Part]], console: Console | None = None
    ) -> None:
        self.drawing, self.shown = Drawing(out, console), shown
        self._is_first = True

    def write(self, answer: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        """Draws an answer, or its `error`, and the other columns of its input."""
        if not self._is_first:
            self.drawing.space()
        self._is_first = False
        self.drawing.others(others)
        if "error" in answer:
            self.drawing.error(str(answer["error"]))
        else:
            self.drawing.parts([*self.shown(answer), *weighed(answer)])

    def finish(self) -> None:
        """Draws what needs all answers."""
        self.drawing.finish()


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(length - 4, 0)].rstrip() + " ..."


def _edge(text: str, at: int, step: int) -> int:
    """Where to cut a text: between words, at most 20 characters further on; or its end."""
    if at <= 0 or at >= len(text):
        return min(max(at, 0), len(text))
    for place in range(at, at + 20 * step, step):
        if place <= 0 or place >= len(text):
            return min(max(place, 0), len(text))
        if text[place].isspace():
            return place + (step < 0)
    return at
