"""Rows that cannot be read: named one by one, or left out and counted by reason, up to a share."""

from __future__ import annotations

import logging
import re
from collections import Counter

from bert_tf.data.rows.quiet import is_quiet
from bert_tf.errors import UserError

SHARE = 0.01
"""The share of a file's rows that may be left out where nothing else is said."""

SAMPLES = 3
REASON = re.compile(r"(column '[^']*': )?(?:.*?)(expected .*?)(?:\. Received: .*)?", re.DOTALL)

logger = logging.getLogger(__name__)


class BadRows:
    """Args:
    origin: the file, or what else the rows are from.
    may_skip: whether bad rows may be left out; else the first one is raised.
    share: of all rows, the most that may be left out.
    """

    def __init__(self, origin: str, *, may_skip: bool, share: float = SHARE) -> None:
        self.origin, self.may_skip, self.share = origin, may_skip, share
        self.reasons: Counter[str] = Counter()
        self.samples: dict[str, str] = {}

    def __len__(self) -> int:
        return self.reasons.total()

    def add(self, message: str, reason: str | None = None) -> None:
        """Args:
            message: what is wrong, and where.
            reason: the words under which it is counted; None: those of the message that say what was expected.
        Raises: UserError, the message, where no row may be left out.
        """
        if not self.may_skip:
            raise UserError(message)
        reason = reason or reason_of(message)
        self.reasons[reason] += 1
        self.samples.setdefault(reason, message)

    def check(self, good: int) -> None:
        """Says what was left out, compared with `good` rows. Raises: UserError if it is more than the share, or all."""
        bad = len(self)
        if not bad:
            return
        listed = "; ".join(
            f"{count:,} x [{reason}], such as {self.samples[reason].rstrip('.')}"
            for reason, count in self.reasons.most_common(SAMPLES)
        )
        more = f"; and {len(self.reasons) - SAMPLES} more reasons" if len(self.reasons) > SAMPLES else ""
        share = bad / (bad + good)
        if not good:
            raise UserError(
                f"{self.origin}: expected one row of data at least. Received: {bad} bad rows: {listed}{more}"
            )
        if share > self.share:
            raise UserError(
                f"{self.origin}: expected at most {100 * self.share:g} % of the rows to be bad (data.bad_rows_share). "
                f"Received: {bad:,} of {bad + good:,} ({100 * share:.2f} %): {listed}{more}. "
                f"To leave them out all the same, say --skip-bad-rows={_rounded_up(share)}"
            )
        if is_quiet():
            return
        logger.warning(
            "%s: left out %s bad rows of %s (%.2f %%): %s%s",
            self.origin, f"{bad:,}", f"{bad + good:,}", 100 * share, listed, more,
        )  # fmt: skip


def reason_of(message: str) -> str:
    """What was expected, with the column if one is named, without what came and where."""
    start = message.find("column '")
    found = REASON.fullmatch(message[start:] if start >= 0 else message[max(message.find("expected "), 0) :])
    return f"{found[1] or ''}{found[2]}" if found else message


def _rounded_up(share: float) -> str:
    digits = next(digits for digits in (2, 3, 4, 6) if round(share, digits) > 0 or digits == 6)
    step = 10**-digits
    return f"{min(1.0, round(round(share, digits) + (0 if round(share, digits) >= share else step), digits)):g}"
