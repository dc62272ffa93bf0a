"""Questions and answers in turn: what --interactive reads."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator

from bert_tf.command_line.saying import say


class Lines:
    """Lines of standard input: asked for with a prompt, and with a history, on a terminal; read as they are elsewhere.

    A line that is not text is said, and passed over.
    """

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty()
        if self.is_terminal:
            with contextlib.suppress(ImportError):
                importlib.import_module("readline")  # which gives input() its keys and its history
            say("An empty line, or Ctrl-D, ends it.")

    def ask(self, prompt: str) -> str | None:
        """A line without its end; None at the end: at the input's, and on a terminal at an empty line, too."""
        while True:
            try:
                line = self._line(f"{prompt}> ")
                line.encode()
            except EOFError:
                if self.is_terminal:
                    print(file=sys.stdout if sys.stdout.isatty() else sys.stderr)  # Ctrl-D ends no line
                return None
            except UnicodeError as error:
                say(f"expected a line of text. Received: {error}")
                continue
            if line.strip() or not self.is_terminal:
                return line
            return None

    def each(self, prompt: str) -> Iterator[str]:
        """Lines up to the end, but empty ones."""
        while (line := self.ask(prompt)) is not None:
            if line.strip():
                yield line

    def _line(self, prompt: str) -> str:
        if not self.is_terminal:
            line = sys.stdin.readline()
            if not line:
                raise EOFError
            return line.rstrip("\r\n")
        if sys.stdout.isatty():
            return input(prompt)
        print(prompt, end="", file=sys.stderr, flush=True)  # answers go elsewhere
        return input()


def contexts_and_questions(lines: Lines) -> Iterator[tuple[str, str]]:
    """Pairs of a context and a question: first a context, then questions about it up to an empty line, which asks for
    the next context. A line with a tab is a question and its context at once.
    """
    while True:
        context = lines.ask("context")
        if context is None:
            return
        if not context.strip():
            continue
        if "\t" in context:
            question, _, text = context.partition("\t")
            yield text, question
            continue
        while (question := lines.ask("question")) is not None and question.strip():
            yield context, question
        if question is None and not lines.is_terminal:
            return
