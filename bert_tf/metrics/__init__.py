"""Metrics as the field names them; scikit-learn and SciPy compute them."""

from bert_tf.metrics.classification import METRICS, Metric, get_metric
from bert_tf.metrics.squad import squad_scores

__all__ = ["METRICS", "Metric", "get_metric", "squad_scores"]
