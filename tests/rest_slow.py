"""Cases of which some stand for all in the fast tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def rest_slow(cases: Iterable[Any], *quick: Any) -> list[Any]:
    """The cases for `pytest.mark.parametrize`; all but `quick` are marked slow, which have to be among them.

    >>> [case if isinstance(case, str) else case.values for case in rest_slow(["a", "b"], "b")]
    [('a',), 'b']
    """
    cases = list(cases)
    strangers = [case for case in quick if case not in cases]
    assert not strangers, f"no such cases: {strangers}"
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]
