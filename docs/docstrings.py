"""Docstrings as Sphinx's napoleon reads them: `Returns: x` on a line of its own becomes a section, as `Args:` is."""

from __future__ import annotations

import re

SECTIONS = ("Args", "Attributes", "Call arguments", "Example", "Examples", "Raises", "Reference", "Returns", "Yields")
OPENING = re.compile(rf"^(?P<name>{'|'.join(SECTIONS)})(?P<aside> \([^)]*\))?:(?P<rest>\s+\S.*)?$")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)(?!_)")


def as_sections(lines: list[str]) -> list[str]:
    """The same docstring with an empty line before each section and example, and single backticks doubled.

    >>> as_sections(["Adds `a`.", "Args:", "    a: one.", "Returns: int,", "    as given.", ">>> add(1)", "1"])
    ['Adds ``a``.', '', 'Args:', '    a: one.', '', 'Returns:', '    int,', '    as given.', '', '>>> add(1)', '1']
    """
    made: list[str] = []
    in_example = False
    for line in lines:
        opening = OPENING.match(line)
        begins = line.lstrip().startswith(">>>") and not in_example
        if (opening or begins) and made and made[-1].strip():
            made.append("")
        in_example = bool(line.strip()) and (begins or in_example)
        if opening:
            made.append(f"{opening['name']}:")
            first = " ".join(part.strip() for part in (opening["aside"], opening["rest"]) if part)
            made += [f"    {_doubled(first)}"] if first else []
        else:
            made.append(line if in_example else _doubled(line))
    return made


def _doubled(line: str) -> str:
    return CODE.sub(r"``\1``", line)
