"""What all tests of SentencePiece share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.text.sentence_pieces.reference import golden


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of tests/golden/sentence_pieces.tar.xz."""
    return golden(str(tmp_path_factory.mktemp("sentence_pieces")))
