"""What a file that others wrote may be, before anything in it is believed: how large, how deep, and of which types.

One place decides, and every reader asks it: `read_bytes` and `read_text` for files, `parse_json`, `read_json` and
`parse_toml` for structures, `typed` for what stands in them. Each failure is a `UserError` that names the file and the
rule; values in messages are cut by `short`.
"""

from bert_tf.guard.files import bounded, check_regular, read_bytes, read_text
from bert_tf.guard.held import WRONG, held
from bert_tf.guard.shown import short
from bert_tf.guard.structures import parse_json, parse_toml, read_json, read_object
from bert_tf.guard.types import Checked, typed

__all__ = [
    "WRONG",
    "Checked",
    "bounded",
    "check_regular",
    "held",
    "parse_json",
    "parse_toml",
    "read_bytes",
    "read_json",
    "read_object",
    "read_text",
    "short",
    "typed",
]
