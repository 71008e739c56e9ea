"""Makes keras1.h5 and keras2.h5 with h5py: names and layout as Keras 1 and Keras 2 wrote them. Values are
first, first + 0.25, ..."""
import os

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BN1 = ("gamma", "beta", "running_mean", "running_std")
BN2 = ("gamma", "beta", "moving_mean", "moving_variance")


def names(items):
    return np.array([i.encode() for i in items], dtype="S") if items else np.zeros(0)


def write(path, layers, keras2):
    with h5py.File(path, "w") as f:
        f.attrs["layer_names"] = names([layer for layer, _ in layers])
        if keras2:
            f.attrs["backend"] = b"tensorflow"
            f.attrs["keras_version"] = b"2.1.6"
        for layer, weights in layers:
            group = f.create_group(layer)
            group.attrs["weight_names"] = names([name for name, _, _ in weights])
            for name, first, shape in weights:
                values = first + 0.25 * np.arange(np.prod(shape))
                group.create_dataset(name, data=values.astype("<f4").reshape(shape))


write(os.path.join(HERE, "keras1.h5"), [
    ("input_1", []),
    ("conv1", [("conv1_W_1:0", 0, (3, 3, 2, 4)), ("conv1_b_1:0", 1, (4,))]),
    ("bn_conv1", [("bn_conv1_%s_1:0" % p, 1 + i, (4,)) for i, p in enumerate(BN1)]),
], False)
write(os.path.join(HERE, "keras2.h5"), [
    ("input_image", []),
    ("conv1", [("conv1/kernel:0", 0, (3, 3, 2, 4)), ("conv1/bias:0", 1, (4,))]),
    ("bn_conv1", [("bn_conv1/%s:0" % p, 1 + i, (4,)) for i, p in enumerate(BN2)]),
    ("rpn_model", [("rpn_class_raw/kernel:0", 4, (1, 1, 4, 6)), ("rpn_class_raw/bias:0", 5, (6,))]),
], True)
