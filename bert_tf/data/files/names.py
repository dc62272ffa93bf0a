"""Which of a file's columns are the ones wanted: by name, by a name in other case, by the name at a hub, or inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert_tf.data.files.rows import Notes, Row, Wanted
from bert_tf.data.rows.table import BadRow
from bert_tf.errors import UserError


def renames(names: Sequence[str], wanted: Wanted, origin: str) -> dict[str, str]:
    """Names of the file -> ours, for the columns that are wanted and are there under another name.

    Raises: UserError where two columns differ from a wanted one in case alone, or a wanted name stands twice.
    """
    found: dict[str, str] = {}
    for name in wanted.names:
        if name in names:
            if names.count(name) > 1:
                raise UserError(f"{origin}: expected one column {name!r}. Received: {names.count(name)} of this name")
            continue
        near = [other for other in dict.fromkeys(names) if _folded(other) == _folded(name)]
        near = [other for other in near if other not in wanted.names]
        alias = wanted.aliases.get(name)
        if not near and alias is not None and alias in names and alias not in wanted.names:
            near = [alias]
        if len(near) > 1:
            raise UserError(f"{origin}: expected one column {name!r}. Received: {', '.join(map(repr, near))}")
        if near:
            found[near[0]] = name
    return found


def fits(names: Sequence[str], wanted: Wanted) -> bool:
    """Whether all required columns are among the names, if case is not looked at."""
    folded = {_folded(name) for name in names}
    return bool(wanted.required) and all(
        _folded(name) in folded or wanted.aliases.get(name) in names for name in wanted.required
    )


def renamed(names: Sequence[str], wanted: Wanted, notes: Notes) -> list[str]:
    """The names, with ours in the place of those that are wanted, which is said."""
    changes = renames(names, wanted, f"{notes.origin}:1")
    if changes:
        notes.say(", ".join(f"the column {theirs!r} is read as {ours!r}" for theirs, ours in changes.items()))
    return _distinct([changes.get(name, name) for name in names])


def each_renamed(rows: Iterator[Row], wanted: Wanted, notes: Notes) -> Iterator[Row]:
    """Rows that name their own columns, with ours where they are wanted: from one level further in, too."""
    said: set[tuple[str, str]] = set()
    for number, row in rows:
        if isinstance(row, BadRow) or all(name in row for name in wanted.names):
            yield number, row
            continue
        cells = dict(row)
        for theirs, ours in renames(list(cells), wanted, f"{notes.origin}:{number}").items():
            cells[ours] = cells.pop(theirs)
            _say_once(said, theirs, ours, notes)
        taken: set[str] = set()
        for name in wanted.names:
            inner = [key for key, cell in row.items() if key not in wanted.names and _holds(cell, name)]
            inner = [] if name in cells else inner  # nor out of what is wanted whole, as answers with their places are
            if len(inner) == 1:
                cells[name] = row[inner[0]][name]
                taken.add(inner[0])
                _say_once(said, f"{inner[0]}.{name}", name, notes)
            elif "." in name and name not in cells:
                outer, _, key = name.partition(".")
                if _holds(row.get(outer), key):
                    cells[name] = row[outer][key]
        for key in taken:  # what was taken out of whole is not another column
            if all(part in wanted.names for part in row[key]):
                cells.pop(key, None)
        yield number, cells


def _distinct(names: Sequence[str]) -> list[str]:
    """Names that nobody wants and that stand twice are told apart as pandas does it: `id`, `id.1`."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.append(f"{name}.{count}" if count and name else name)
    return found


def _say_once(said: set[tuple[str, str]], theirs: str, ours: str, notes: Notes) -> None:
    if (theirs, ours) not in said:
        said.add((theirs, ours))
        notes.say(f"the column {theirs!r} is read as {ours!r}")


def _holds(cell: Any, name: str) -> bool:
    return isinstance(cell, Mapping) and name in cell


def _folded(name: str) -> str:
    return name.strip().casefold()
