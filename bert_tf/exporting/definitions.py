"""An export format by its name, or from your own file."""

from __future__ import annotations

from pathlib import Path

from bert_tf import lookup
from bert_tf.errors import UserError
from bert_tf.exporting.artefact import Artefact
from bert_tf.guard import held, read_object

REPORT = "export_report.json"


def load_export(name: str) -> Artefact:
    """The format of a name in export/, or of your own Python file, which must define `ARTEFACT`.

    Raises: UserError if there is no such format, if its file fails (with the line), or if the file has no `ARTEFACT` of
        `bert_tf.exporting`.
    """
    return lookup.load("export", name, "ARTEFACT", Artefact, "an export format of bert_tf.exporting")


def export_in(folder: Path) -> Artefact:
    """The format of a folder that an export wrote, with the settings by which it was written.

    Raises: UserError where no export wrote it, or the format is not known.
    """
    try:
        name = str(read_object(folder / REPORT)["format"])
    except (OSError, UserError, KeyError) as error:
        raise UserError(f"{folder}: expected a folder of an export, with its {REPORT}. Received: {error}") from None
    if name not in lookup.names("export"):  # the path of a file, say, whose code nobody here asked to run
        raise UserError(f"{folder}: expected a format of {', '.join(lookup.names('export'))}. Received: {name[:80]!r}")
    with held(folder, "a folder as this format of export leaves it"):
        return load_export(name).of_folder(folder)
