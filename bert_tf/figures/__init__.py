"""Figures of results, drawn by Matplotlib from plain arrays, for pages, notebooks and TensorBoard.

Each function gives a `matplotlib.figure.Figure`, made without `pyplot` and so without global state; `as_png` makes
bytes of it. All are narrow, so that their texts can be read on a phone too, have a light and a dark form, and colours
that the colour-blind can tell apart (Okabe and Ito, 2008; single hues and cividis).
"""

from bert_tf.figures.confusion import confusion
from bert_tf.figures.curves import curves
from bert_tf.figures.drawing import as_png
from bert_tf.figures.lengths import lengths
from bert_tf.figures.precision_recall import precision_recall
from bert_tf.figures.reliability import reliability
from bert_tf.figures.scatter import scatter

__all__ = ["as_png", "confusion", "curves", "lengths", "precision_recall", "reliability", "scatter"]
