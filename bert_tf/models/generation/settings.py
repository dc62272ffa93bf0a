"""How text is generated: the settings. Needs no Keras."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generation:
    """Which tokens are written, one after the other.

    Greedy by default: the likeliest token each time. A text ends with the end token, or where it is `max_length` long.
    Its score is the sum of its tokens' log probabilities, divided by its length to the power of `length_penalty`.

    Args:
        max_length: most tokens of a text, the end token included.
        min_length: fewest tokens, the end token included; no text ends earlier.
        beams: texts that are followed side by side; the one of the highest score is given.
        length_penalty: 0 favours short texts; the higher, the longer.
        no_repeat_ngram: no sequence of this many tokens occurs twice in a text; 0: no such rule.
        sample: draw tokens by their probability instead.
        temperature: the logits are divided by it before a draw; below 1 likely tokens become likelier, above 1
            less likely.
        top_k: draw from this many of the likeliest tokens; 0: from all.
        top_p: draw from the fewest likeliest tokens that together have this probability; 1: from all.
    Raises: ValueError that names the argument, the rule and what came.
    Reference: length penalty: Wu et al., 2016, section 7, https://arxiv.org/abs/1609.08144; no_repeat_ngram: Paulus et
        al., 2017, https://arxiv.org/abs/1705.04304; top_k: Fan et al., 2018, https://arxiv.org/abs/1805.04833; top_p:
        Holtzman et al., 2020, https://arxiv.org/abs/1904.09751
    """

    max_length: int = 64
    min_length: int = 1
    beams: int = 1
    length_penalty: float = 1.0
    no_repeat_ngram: int = 0
    sample: bool = False
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        for name, low in (("max_length", 1), ("min_length", 1), ("beams", 1), ("no_repeat_ngram", 0), ("top_k", 0)):
            value = getattr(self, name)
            self._check(name, isinstance(value, int) and value >= low, f"an integer of at least {low}")
        self._check("min_length", self.min_length <= self.max_length, f"at most `max_length`, {self.max_length}")
        self._check("length_penalty", 0 <= self.length_penalty < math.inf, "a number of at least 0")
        self._check("temperature", 0 < self.temperature < math.inf, "a number above 0")
        self._check("top_p", 0 < self.top_p <= 1, "a number in (0, 1]")
        self._check("sample", not (self.sample and self.beams > 1), "false with more than one beam")
        for name in ("temperature", "top_k", "top_p"):
            unset = getattr(self, name) == Generation.__dataclass_fields__[name].default
            self._check(name, self.sample or unset, "left alone without `sample`")

    def _check(self, name: str, good: bool, rule: str) -> None:
        if not good:
            raise ValueError(f"`{name}` must be {rule}. Received: {name}={getattr(self, name)!r}")

    def replace(self, **changes) -> Generation:
        """A copy with some of the settings changed."""
        return dataclasses.replace(self, **changes)
