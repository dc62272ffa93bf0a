"""An export format by its name, or from your own file."""

from __future__ import annotations

from bert_tf import lookup
from bert_tf.exporting.artefact import Artefact


def load_export(name: str) -> Artefact:
    """The format of a name in export/, or of your own Python file, which must define `ARTEFACT`.

    Raises: UserError if there is no such format, if its file fails (with the line), or if the file has no `ARTEFACT` of
        `bert_tf.exporting`.
    """
    return lookup.load("export", name, "ARTEFACT", Artefact, "an export format of bert_tf.exporting")
