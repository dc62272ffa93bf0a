"""Metrics as the field names them; scikit-learn and SciPy compute them."""

from bert_tf.metrics.classification import METRICS, Metric, get_metric
from bert_tf.metrics.entities import ENTITY_METRICS, entity_scores
from bert_tf.metrics.span_answers import squad_scores

__all__ = ["ENTITY_METRICS", "METRICS", "Metric", "entity_scores", "get_metric", "squad_scores"]
