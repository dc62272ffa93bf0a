"""Which texts are close that should be, and which are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bert_tf.kinds.diagnosis import Answered, Diagnosis, share
from bert_tf.kinds.vectors.spec import TextGroups, unit_rows


def of_scored_pairs(
    columns: Sequence[str], vectors: np.ndarray, examples: TextGroups, *, score_range: tuple[float, float]
) -> Diagnosis:
    """Of pairs with a score: an answer falls short by how far the pair's place in the order by cosine is from its place
    in the order by score, as a share of all pairs.

    Args:
        columns: of the two texts.
        vectors: float [N, D], of `examples.texts`.
        score_range: the least and the greatest score.
    """
    from scipy.stats import rankdata

    assert examples.labels is not None
    low, high = score_range
    right = low + examples.labels.astype(np.float64) * (high - low)
    units = unit_rows(vectors)[examples.members]  # [E, 2, D]
    cosines = np.sum(units[:, 0] * units[:, 1], axis=-1).astype(np.float64)
    short = np.abs(rankdata(right) - rankdata(cosines)) / len(right)
    rows = [
        Answered(
            number=i,
            inputs=_texts(columns, examples, i),
            expected=f"{right[i]:.4g}",
            answered=f"{cosines[i]:.4f}",
            scores={"cosine": float(cosines[i])},
            shortfall=float(short[i]),
        )
        for i in range(len(examples))
    ]
    summary = (
        "Put in order by the cosine of their vectors, pairs are on average "
        f"{100 * short.mean():.1f} % of all places away from where their scores put them."
    )
    return Diagnosis(rows=rows, summary=summary, numbers={"cosine": (right, cosines)})


def of_triplets(columns: Sequence[str], vectors: np.ndarray, examples: TextGroups) -> Diagnosis:
    """Of an anchor, a text that it should be close to, and one that it should not."""
    units = unit_rows(vectors)[examples.members]  # [E, 3, D]
    cosines = np.sum(units[:, :1] * units[:, 1:], axis=-1)  # [E, 2]
    rows = []
    for i, (near, far) in enumerate(cosines.tolist()):
        texts = _texts(columns, examples, i)
        _, positive, negative = texts.values()
        rows.append(
            Answered(
                number=i,
                inputs=texts,
                expected=positive,
                answered=positive if near > far else negative,
                is_right=near > far,
                scores={"cosine with the positive": near, "cosine with the negative": far},
            )
        )
    right = sum(row.is_right is True for row in rows)
    return Diagnosis(rows=rows, summary=f"The positive is the closer one for {share(right, len(rows))} anchors.")


def of_ranking(
    column: str,
    queries: Sequence[str],
    documents: Sequence[str],
    relevant: Sequence[Sequence[int]],
    first: Sequence[int],
    cosines: Sequence[float],
) -> Diagnosis:
    """Of queries and documents: a query is answered rightly where the first document is a relevant one.

    Args:
        column: what a query is called.
        relevant: of each query its relevant documents, by their number.
        first: of each query the document that was ranked first.
        cosines: of these with their queries.
    """
    rows = []
    for i, (query, right, best, cosine) in enumerate(zip(queries, relevant, first, cosines, strict=True)):
        there = [documents[k] for k in right if k < len(documents)]
        rows.append(
            Answered(
                number=i,
                inputs={column: query},
                expected=" | ".join(there[:3]) + (f" | and {len(there) - 3} more" if len(there) > 3 else ""),
                answered=documents[best],
                is_right=best in right,
                scores={"cosine": float(cosine)},
            )
        )
    good = sum(row.is_right is True for row in rows)
    return Diagnosis(
        rows=rows,
        summary=f"The first of {len(documents):,} texts is a right one for {share(good, len(rows))} queries.",
    )


def _texts(columns: Sequence[str], examples: TextGroups, example: int) -> dict[str, str]:
    numbers: list[int] = examples.members[example].tolist()
    return {name: examples.texts[number] for name, number in zip(columns, numbers, strict=True)}
