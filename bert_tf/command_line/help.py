"""What --help and --help-all print: the first fits a screen, the second leaves nothing out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 100  # characters at most, on a wider terminal too
FLAGS_WIDTH = 30  # characters before what a flag means


class Show(argparse.Action):
    """Prints one of the two, and ends the program.

    Args:
        whole: whether it is the long one.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, *, whole: bool, help: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)
        self.whole = whole

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        print(
            parser.format_help() if self.whole else getattr(parser, "format_short_help", parser.format_help)(), end=""
        )
        parser.exit()


def formatter(prog: str) -> argparse.RawDescriptionHelpFormatter:
    """How wide flags and their meanings are set."""
    made = argparse.RawDescriptionHelpFormatter(prog, max_help_position=FLAGS_WIDTH)
    made._width = min(made._width, WIDTH)
    return made


def sections(
    actions: Sequence[argparse.Action], groups: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, list[argparse.Action]]]:
    """Title -> flags, as `groups` name them and in that order; then `more` -> those that no group names."""
    by_name = {name: action for action in actions for name in action.option_strings}
    for title, names in groups.items():
        yield title, [by_name[name] for name in names]
    named = {id(by_name[name]) for names in groups.values() for name in names}
    yield "more" if groups else "flags", [action for action in actions if id(action) not in named]


def summary_of(description: str) -> str:
    """A description's first paragraph, without the command that ends it."""
    return description.strip().partition("\n\n")[0].partition(": python -m")[0]


def example_lines(prog: str, examples: Mapping[str, str]) -> str:
    """A command a line, with what it does before it."""
    return "\n".join(f"  # {what}\n  {prog} {flags}" for flags, what in examples.items())
