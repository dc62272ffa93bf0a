"""Walks a pickle's opcodes without executing it: what a file of PyTorch describes, in dicts, lists and stand-ins.

A pickle is a program that may call any function. The interpreter here calls nothing and imports nothing: the handful
of names that tensors need stand for themselves, objects of any class are kept as `Record`s of their attributes, and a
call of any other name is an error that names it.
Reference: the opcodes as Python's pickletools documents them.
"""

from __future__ import annotations

import pickletools
import sys
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.guard import short

STORAGES = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32",
    "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
}  # fmt: skip
# Whose calls make values that no tensor hangs on: settings, paths, counters of a training run. The same goes for what
# is neither Python's nor PyTorch's own; a name of these that is not here is refused, as an attack would have it.
ASIDE = (
    "torch.nn.", "torch.optim.", "torch device", "pathlib ", "argparse ", "datetime ", "enum ", "_codecs ", "copyreg ",
    "collections defaultdict", "collections Counter", "collections deque", "typing ", "functools partial",
    "builtins set", "builtins frozenset", "builtins bytearray", "builtins complex", "builtins slice", "__builtin__ set",
    "__builtin__ frozenset",
)  # fmt: skip
PYTHON_2 = {"__builtin__", "commands", "copy_reg", "exceptions"}
QUANTIZED = ("torch qint8", "torch quint8", "torch qint32", "torch._utils _rebuild_qtensor")
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
LITERALS = {
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT", "BINUNICODE", "UNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8",
    "BYTEARRAY8",
}  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Global(NamedTuple):
    """A name that the pickle mentions. Nothing is imported."""

    name: str

    @property
    def dotted(self) -> str:
        return self.name.replace(" ", ".")


class Storage(NamedTuple):
    """Where numbers lie: the key of their bytes, and their type."""

    key: str
    dtype: str


class View(NamedTuple):
    """A tensor: a strided view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Record:
    """An object of some class, which was not made: its class's name, and the attributes that it would have had."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.state: Any = None


def walk(stream: Any, path: Path) -> Any:
    """What one pickle describes: dicts, lists, tuples, numbers, strings, `Global`, `Storage`, `View` and `Record`.

    Raises: UserError naming the file, and the opcode or name that is refused.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def above_mark() -> list[Any]:
        start = marks.pop()
        values = stack[start:]
        del stack[start:]
        return values

    argument: Any
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in LITERALS:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in ("PROTO", "FRAME"):
            continue
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "POP":
            stack.pop()
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name in ("EMPTY_LIST", "EMPTY_SET"):
            stack.append([])
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name in TUPLES:
            count = TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name in ("TUPLE", "FROZENSET"):
            stack.append(tuple(above_mark()))
        elif name == "GLOBAL":
            stack.append(_global(argument, path))
        elif name == "STACK_GLOBAL":
            module, attribute = stack[-2:]
            if not (isinstance(module, str) and isinstance(attribute, str)):
                raise UserError(f"{path}: its pickle makes a name of {short(module)} and {short(attribute)}; not read")
            stack[-2:] = [_global(f"{module} {attribute}", path)]
        elif name == "BINPERSID":
            stack.append(_persistent(stack.pop(), path))
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_called(stack.pop(), arguments, path))
        elif name == "NEWOBJ" and len(stack) > 1 and isinstance(stack[-2], Global):
            stack.pop()
            stack.append(Record(stack.pop().dotted))
        elif name == "BUILD":
            state = stack.pop()
            if isinstance(stack[-1], Record):  # of a dict: versions of modules, not needed
                stack[-1].state = state
        elif name in ("SETITEM", "SETITEMS"):
            items = above_mark() if name == "SETITEMS" else [stack.pop(), stack.pop()][::-1]
            if not isinstance(stack[-1], Record):
                stack[-1].update(zip(_keys(items[::2], path), items[1::2], strict=True))
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            items = [stack.pop()] if name == "APPEND" else above_mark()
            if not isinstance(stack[-1], Record):
                stack[-1].extend(items)
        elif name == "STOP":
            value = stack.pop()
            return _refuse(value, path) if isinstance(value, Global) else value
        else:
            raise UserError(f"{path}: its pickle uses the opcode {name}, which a state dict does not need; not read")
    raise ValueError("the pickle does not end")


def _keys(keys: list[Any], path: Path) -> list[Any]:
    """The keys of a dict. A tuple of tuples of tuples, a few bytes long, would take hours to be hashed."""
    for key in keys:
        if isinstance(key, tuple) and any(isinstance(part, (tuple, list, dict)) for part in key):
            raise UserError(
                f"{path}: its pickle has a dict with the key {short(key)}, which no state dict has; not read"
            )
    return keys


def _global(name: str, path: Path) -> Global:
    if name in QUANTIZED:
        raise UserError(
            f"{path} holds weights quantised to 8 bits ({name.replace(' ', '.')}), which are not read: use the model "
            "from before its quantisation"
        )
    return Global(name)


def _refuse(called: Global, path: Path) -> Any:
    raise UserError(
        f"{path}: its pickle names {called.dotted:.200}, which a state dict does not need; nothing was executed"
    )


def _persistent(description: Any, path: Path) -> Any:
    """A storage; or a class with its source, as torch.save before 1.6 kept a whole module."""
    kind, storage_class, key = description[:3]
    if kind == "module" and isinstance(storage_class, Global):
        return storage_class
    dtype = None
    if isinstance(storage_class, Global) and storage_class.name.startswith("torch "):
        dtype = STORAGES.get(storage_class.name.removeprefix("torch "))
    if kind != "storage" or dtype is None or (len(description) > 5 and description[5] is not None):
        raise UserError(f"{path}: its pickle describes a storage in an unknown way: {short(description)}")
    if not isinstance(key, (str, int)):
        raise UserError(f"{path}: its pickle describes a storage with the key {short(key)}; not read")
    return Storage(str(key), dtype)


def _called(called: Any, arguments: Any, path: Path) -> Any:
    """What the call would give, without the call."""
    name = called.name if isinstance(called, Global) else ""
    if name == "torch._tensor _rebuild_from_type_v2":  # a call of the first, whose result gets another class
        called, arguments = arguments[0], arguments[2]
        name = called.name if isinstance(called, Global) else ""
    if name == "collections OrderedDict":
        pairs = [tuple(pair) for pair in arguments[0]] if arguments else []
        return dict(zip(_keys([key for key, _ in pairs], path), (value for _, value in pairs), strict=True))
    if name == "torch Size":
        return tuple(*arguments)
    if name.startswith("torch._utils _rebuild_parameter"):
        return arguments[0]
    if name in ("torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2"):
        storage, offset, shape, strides = arguments[:4]
        if isinstance(storage, Storage):
            return View(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))
    package = name.replace(" ", ".").split(".")[0]
    own = package == "torch" or package in sys.stdlib_module_names or package in PYTHON_2
    if name and (not own or name.startswith(ASIDE)):
        record = arguments[0] if name == "copyreg _reconstructor" else called
        return Record(record.dotted if isinstance(record, Global) else called.dotted)
    if isinstance(called, Global):
        return _refuse(called, path)
    raise UserError(f"{path}: its pickle calls {short(called)}, which a state dict does not need; not executed")
