"""The files and keys of sentence-transformers, and what their values are called here."""

from __future__ import annotations

from bert_tf.weights.keys import Keys

MODULES, PROMPTS = "modules.json", "config_sentence_transformers.json"
# Their ways of pooling; a bool for each of the old keys, where newer files have `pooling_mode`.
POOLINGS = {
    "cls": "pooling_mode_cls_token", "max": "pooling_mode_max_tokens", "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens", "lasttoken": "pooling_mode_lasttoken",
}  # fmt: skip
# A class of torch.nn, as it is without arguments -> our name for it
ACTIVATIONS = {
    "Identity": "linear", "Tanh": "tanh", "Sigmoid": "sigmoid", "ReLU": "relu", "GELU": "gelu", "SiLU": "silu",
}  # fmt: skip
SCORES = {**ACTIVATIONS, "Softmax": "softmax"}
TORCH = {
    ours: f"torch.nn.modules.{'linear' if ours == 'linear' else 'activation'}.{name}" for name, ours in SCORES.items()
}
TRANSFORMER_FILES = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
NO_LENGTH = 10**9
TEXT_ALONE = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
CROSS_ENCODER = "CrossEncoder"

KEYS = {
    PROMPTS: Keys(
        used=("prompts", "default_prompt_name", "similarity_fn_name", "truncate_dim", "model_type", "activation_fn"),
        harmless=("__version__", "keep_in_fp32_modules"),
    ),
    "Transformer": Keys(
        used=("max_seq_length", "do_lower_case"),
        harmless=("unpad_inputs", "model_args", "model_kwargs", "query_length", "document_length"),
        changing={
            "transformer_task": (None, "feature-extraction"),
            "modality_config": (None, TEXT_ALONE),
            "module_output_name": (None, "token_embeddings"),
            "processing_kwargs": (None, {}),
            "query_expansion": (None,),
            **dict.fromkeys(("tokenizer_args", "processor_kwargs", "config_args", "config_kwargs"), (None, {})),
        },
    ),
    "Pooling": Keys(
        used=("pooling_mode", "include_prompt", *POOLINGS.values()),
        harmless=("word_embedding_dimension", "embedding_dimension"),
    ),
    "Dense": Keys(
        used=("in_features", "out_features", "bias", "activation_function"),
        changing={
            "use_residual": (None, False),
            "module_input_name": (None, "sentence_embedding"),
            "module_output_name": (None, "sentence_embedding"),
        },
    ),
    "Normalize": Keys(
        used=(),
        changing=dict.fromkeys(("module_input_name", "module_output_name"), (None, "sentence_embedding")),
    ),
}


def torch_activation(path: str) -> str | None:
    """Our name of an activation that is written as torch.nn's class; None for any other."""
    return ACTIVATIONS.get(path.rpartition(".")[2]) if path.startswith("torch.nn.") else None
