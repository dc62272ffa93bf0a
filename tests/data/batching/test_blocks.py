from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bert_tf.data.batching.blocks import blocks


def resident_kilobytes(path: Path) -> int:
    """Of a file that is mapped into memory, how much this process holds."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    return sum(
        int(next(line for line in lines if line.startswith("Rss:")).split()[1])
        for line in lines
        if line.endswith(str(path))
    )


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much of a file is in memory")
@pytest.mark.parametrize("part", [lambda array: array, np.asarray, lambda array: array[1:]])
def test_what_is_read_of_a_file_is_let_go(part, tmp_path):
    path = tmp_path / "numbers.bin"
    values = np.arange(1 << 20, dtype=np.int64)
    values.tofile(path)
    mapped = np.memmap(path, np.int64, "r")
    array = part(mapped)
    assert sum(int(block.sum()) for block in blocks(array, 1 << 14)) == int(values.sum())
    assert resident_kilobytes(path) < 1024
    assert int(array.sum()) == int(values.sum())
    assert resident_kilobytes(path) > 4096  # which is how it is seen
