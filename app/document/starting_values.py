"""The settings with which an operator comes onto the board, so that it is valid at once."""

from collections.abc import Mapping

from app.engine.operator import Operator
from app.engine.params import Parameter, as_text

STARTING_VALUES: Mapping[str, Mapping[str, str]] = {
    "Activation": {"act_type": "relu"},
    "Cast": {"dtype": "float32"},
    "Concat": {"num_args": "2"},
    "Convolution": {"kernel": "(3, 3)", "num_filter": "8", "pad": "(1, 1)"},
    "Convolution_v1": {"kernel": "(3, 3)", "num_filter": "8", "pad": "(1, 1)"},
    "Deconvolution": {"kernel": "(3, 3)", "num_filter": "8", "pad": "(1, 1)"},
    "Embedding": {"input_dim": "10", "output_dim": "4"},
    "FullyConnected": {"num_hidden": "10"},
    "GridGenerator": {"target_shape": "(28, 28)", "transform_type": "affine"},
    "LRN": {"nsize": "5"},
    "Pad": {"mode": "constant", "pad_width": "(0, 0, 0, 0, 1, 1, 1, 1)"},
    "Pooling": {"kernel": "(2, 2)", "pool_type": "max", "stride": "(2, 2)"},
    "Pooling_v1": {"kernel": "(2, 2)", "pool_type": "max", "stride": "(2, 2)"},
    "ROIPooling": {"pooled_size": "(7, 7)", "spatial_scale": "1.0"},
    "Reshape": {"shape": "(0, -1)"},
    "SliceChannel": {"num_outputs": "2"},
    "SpatialTransformer": {
        "sampler_type": "bilinear",
        "target_shape": "(28, 28)",
        "transform_type": "affine",
    },
    "UpSampling": {"num_args": "1", "sample_type": "nearest", "scale": "2"},
    "_contrib_BilinearResize2D": {"height": "28", "width": "28"},
    "_contrib_DeformableConvolution": {"kernel": "(3, 3)", "num_filter": "8", "pad": "(1, 1)"},
    "_contrib_DeformablePSROIPooling": {
        "group_size": "7",
        "output_dim": "1",
        "pooled_size": "7",
        "spatial_scale": "1.0",
    },
    "_contrib_ModulatedDeformableConvolution": {"kernel": "(3, 3)", "num_filter": "8", "pad": "(1, 1)"},
    "_contrib_PSROIPooling": {"output_dim": "1", "pooled_size": "7", "spatial_scale": "1.0"},
    "_contrib_ROIAlign": {"pooled_size": "(7, 7)", "spatial_scale": "1.0"},
    "_contrib_bipartite_matching": {"threshold": "0.5"},
    "_power_scalar": {"scalar": "2"},
    "_rnn_param_concat": {"dim": "0", "num_args": "2"},
    "_split_v2": {"indices": "(0, 1)"},
    "amp_cast": {"dtype": "float16"},
    "amp_multicast": {"num_outputs": "2"},
    "cast_storage": {"stype": "default"},
    "clip": {"a_max": "1.0", "a_min": "0.0"},
    "col2im": {"kernel": "(2, 2)", "output_size": "(28, 28)", "stride": "(2, 2)"},
    "depth_to_space": {"block_size": "2"},
    "im2col": {"kernel": "(3, 3)"},
    "one_hot": {"depth": "10"},
    "repeat": {"repeats": "2"},
    "slice": {"begin": "(0,)", "end": "(1,)"},
    "slice_axis": {"axis": "1", "begin": "0", "end": "1"},
    "space_to_depth": {"block_size": "2"},
    "tile": {"reps": "(2,)"},
}
"""By operator name: what suits a first use better than a declaration alone can say."""

_FALLBACKS: Mapping[str, str] = {
    "bool": "False",
    "int": "1",
    "float": "1.0",
    "ints": "(1,)",
    "floats": "(1.0,)",
}


def starting_values(operator_class: type[Operator]) -> dict[str, str]:
    """Return the texts of a new node's parameters: the chosen ones, and something valid for every required one."""
    values = dict(STARTING_VALUES.get(operator_class.op_name, {}))
    for parameter in operator_class.parameters:
        if parameter.required and parameter.name not in values:
            values[parameter.name] = _valid_text(parameter, operator_class.variadic)
    return values


def required_values(operator_class: type[Operator]) -> dict[str, str]:
    """Return the texts of the required parameters alone."""
    required = {parameter.name for parameter in operator_class.parameters if parameter.required}
    return {name: text for name, text in starting_values(operator_class).items() if name in required}


def _valid_text(parameter: Parameter, variadic: str) -> str:
    if parameter.name == variadic:
        return "2"
    if parameter.choices:
        return parameter.choices[0]
    low = parameter.declaration.low
    if low is not None and parameter.kind in ("int", "float"):
        return as_text(int(low) if parameter.kind == "int" else float(low))
    if low is not None and parameter.kind == "ints":
        return as_text((int(low),))
    return _FALLBACKS.get(parameter.kind, "")
