"""The one room in which files of rows are read and answers written: by suffix, by first bytes, by header."""

from bert_tf.data.files.formats import FORMATS, Format, format_of, read_rows
from bert_tf.data.files.header import Style
from bert_tf.data.files.open_file import DataFile
from bert_tf.data.files.rows import Notes, Row, Rows, Wanted
from bert_tf.data.files.text import decoding_error, read_text, text_lines

__all__ = [
    "FORMATS",
    "DataFile",
    "Format",
    "Notes",
    "Row",
    "Rows",
    "Style",
    "Wanted",
    "decoding_error",
    "format_of",
    "read_rows",
    "read_text",
    "text_lines",
]
