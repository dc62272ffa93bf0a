from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from bert_tf.exporting.tflite.flat_tables import Table, pack
from bert_tf.exporting.tflite.metadata import files, metadata, with_files
from bert_tf.kinds.serving import TensorNote


class Reader:
    """A table of a buffer, its fields by number."""

    def __init__(self, buffer: bytes, place: int) -> None:
        from flatbuffers.table import Table as View

        self.buffer, self.view = buffer, View(buffer, place)

    @classmethod
    def root(cls, buffer: bytes) -> Reader:
        return cls(buffer, int.from_bytes(buffer[:4], "little"))

    def _field(self, number: int) -> int:
        offset = self.view.Offset(4 + 2 * number)
        assert offset, f"field {number} is absent"
        return offset + self.view.Pos

    def text(self, number: int) -> str:
        return self.view.String(self._field(number)).decode()

    def byte(self, number: int) -> int:
        return self.buffer[self._field(number)]

    def table(self, number: int) -> Reader:
        return Reader(self.buffer, self.view.Indirect(self._field(number)))

    def tables(self, number: int) -> list[Reader]:
        self._field(number)
        offset: Any = self.view.Offset(4 + 2 * number)
        start, count = self.view.Vector(offset), self.view.VectorLen(offset)
        return [Reader(self.buffer, self.view.Indirect(start + 4 * i)) for i in range(count)]


INPUTS = tuple(TensorNote(name=name, description=f"The {name}.") for name in ("ids", "mask"))
OUTPUTS = (TensorNote(name="probability", description="How likely.", labels=True),)


def test_what_readers_look_for_is_where_the_schema_has_it():
    buffer = metadata(name="A", description="B", inputs=INPUTS, outputs=OUTPUTS, has_tokenizer=True)
    assert buffer[4:8] == b"M001"
    root = Reader.root(buffer)
    assert [root.text(number) for number in (0, 1, 7)] == ["A", "B", "1.1.0"]
    (graph,) = root.tables(3)
    assert [(tensor.text(0), tensor.text(1)) for tensor in graph.tables(2)] == [
        ("ids", "The ids."),
        ("mask", "The mask."),
    ]
    (output,) = graph.tables(3)
    assert output.text(0) == "probability"
    assert [(file.text(0), file.byte(2)) for file in output.tables(6)] == [("labels.txt", 2)]
    (unit,) = graph.tables(5)
    assert unit.byte(0) == 4  # BertTokenizerOptions
    assert [(file.text(0), file.byte(2)) for file in unit.table(1).tables(0)] == [("vocab.txt", 5)]


def test_without_a_tokenizer_there_is_no_process_unit():
    buffer = metadata(name="A", description="B", inputs=INPUTS, outputs=OUTPUTS, has_tokenizer=False)
    (graph,) = Reader.root(buffer).tables(3)
    with pytest.raises(AssertionError, match="field 5 is absent"):
        graph.tables(5)


def test_the_files_lie_uncompressed_behind_the_model_and_are_always_the_same():
    contents = files(vocabulary=["[PAD]", "naïve"], labels=["no", "yes"])
    assert contents == {"vocab.txt": "[PAD]\nnaïve\n".encode(), "labels.txt": b"no\nyes\n"}
    model = bytes(range(256)) * 3
    whole = with_files(model, contents)
    assert whole == with_files(model, contents)
    assert whole[: len(model)] == model
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents
        assert {item.compress_type for item in archive.infolist()} == {zipfile.ZIP_STORED}
        first = archive.infolist()[0].header_offset
    assert whole[first : first + 4] == b"PK\x03\x04"  # counted from the model's first byte


def test_fields_of_every_type():
    numbers = np.array([1, 2**32 - 1], np.uint32)
    table = Table({0: np.True_, 1: numbers, 2: np.int32(-5), 4: "text", 5: None, 6: ["a", "b"]})
    root = Reader.root(pack(table))
    assert root.byte(0) == 1
    assert root.text(4) == "text"
    assert numbers.tobytes() in root.buffer
    assert np.int32(-5).tobytes() in root.buffer


@pytest.mark.parametrize(("value", "named"), [(1.5, "float"), (np.float32(1.5), "float32")])
def test_a_field_that_cannot_be(value, named):
    with pytest.raises(ValueError, match=f"a field must be .*Received: {named}"):
        pack(Table({0: value}))
