#!/usr/bin/env python3
"""Writes mrcnn's network as three ONNX files, for peers that run such files (needs the package onnx):

    bench/peer_graphs.py [--backbone resnet50|resnet101] [--size 1024] --graphs FOLDER

    pyramid.onnx    backbone, FPN and RPN (512 channels), of one picture
    box.onnx        the box head, of 1,000 x 256 x 7 x 7
    mask.onnx       the mask head, of 100 x 256 x 14 x 14

What joins them (choosing proposals, RoIAlign, choosing detections, masks of the picture's size) isn't there. Batch norms are folded into
the convolutions, as each of the peers would do it. Weights are random, and small enough for all values to stay finite.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import peer_worker

BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}
CLASSES, ROIS, MASKS, WIDTH, RPN_WIDTH = 81, 1000, 100, 256, 512


class Graph:
    def __init__(self, name, inputs):
        self.name, self.nodes, self.weights, self.outputs, self.count = name, [], [], [], 0
        self.inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in inputs]
        self.random = np.random.default_rng(1)

    def constant(self, values):
        self.count += 1
        name = "w%d" % self.count
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind, inputs, **attributes):
        self.count += 1
        name = "v%d" % self.count
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def kernel(self, shape, fan_in, gain=1.0):
        values = self.random.standard_normal(shape, dtype=np.float32)
        return self.constant(values * np.float32(gain * (2.0 / fan_in) ** 0.5))

    def conv(self, x, channels, filters, side=1, stride=1, relu=True, gain=1.0, shared=None):
        w, b = shared or self.conv_weights(channels, filters, side, gain)
        pad = (side - 1) // 2
        y = self.add("Conv", [x, w, b], kernel_shape=[side, side], strides=[stride, stride], pads=[pad] * 4)
        return self.add("Relu", [y]) if relu else y

    def conv_weights(self, channels, filters, side, gain=1.0):
        return (self.kernel((filters, channels, side, side), channels * side * side, gain),
                self.constant(np.zeros(filters, np.float32)))

    def dense(self, x, rows, columns, relu=True):
        y = self.add("Gemm", [x, self.kernel((rows, columns), rows), self.constant(np.zeros(columns, np.float32))])
        return self.add("Relu", [y]) if relu else y

    def output(self, x, shape):
        self.outputs.append(helper.make_tensor_value_info(x, TensorProto.FLOAT, shape))

    def save(self, folder):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.save(model, os.path.join(folder, self.name + ".onnx"))


def bottleneck(g, x, channels, width, stride, first):
    y = g.conv(x, channels, width, stride=stride)
    y = g.conv(y, width, width, side=3)
    y = g.conv(y, width, 4 * width, relu=False, gain=0.2)
    if first:
        x = g.conv(x, channels, 4 * width, stride=stride, relu=False)
    return g.add("Relu", [g.add("Add", [x, y])])


def backbone(g, x, blocks):
    """C2 to C5. The stride is in a block's first convolution, as in matterport's network."""
    x = g.conv(x, 3, 64, side=7, stride=2)
    x = g.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    levels, channels = [], 64
    for stage, count in enumerate(blocks):
        width = 64 << stage
        for block in range(count):
            x = bottleneck(g, x, channels, width, 2 if stage and not block else 1, block == 0)
            channels = 4 * width
        levels.append((x, channels))
    return levels


def pyramid(backbone_name, size):
    g = Graph("pyramid", [("picture", [1, 3, size, size])])
    twice = g.constant(np.array([1, 1, 2, 2], np.float32))
    tops, above = [], None
    for x, channels in reversed(backbone(g, "picture", BLOCKS[backbone_name])):
        x = g.conv(x, channels, WIDTH, relu=False)
        if above:
            up = g.add("Resize", [above, "", twice], mode="nearest", coordinate_transformation_mode="asymmetric",
                       nearest_mode="floor")
            x = g.add("Add", [x, up])
        above = x
        tops.insert(0, x)
    levels = [g.conv(x, WIDTH, WIDTH, side=3, relu=False) for x in tops]
    levels.append(g.add("MaxPool", [levels[-1]], kernel_shape=[1, 1], strides=[2, 2]))
    shared = [g.conv_weights(WIDTH, RPN_WIDTH, 3), g.conv_weights(RPN_WIDTH, 6, 1), g.conv_weights(RPN_WIDTH, 12, 1)]
    for i, x in enumerate(levels):
        side = size >> (i + 2)
        y = g.conv(x, WIDTH, RPN_WIDTH, side=3, shared=shared[0])
        g.output(g.conv(y, RPN_WIDTH, 6, relu=False, shared=shared[1]), [1, 6, side, side])
        g.output(g.conv(y, RPN_WIDTH, 12, relu=False, shared=shared[2]), [1, 12, side, side])
        if i < 4:  # what RoIAlign would read
            g.output(x, [1, WIDTH, side, side])
    return g


def box():
    g = Graph("box", [("rois", [ROIS, WIDTH, 7, 7])])
    x = g.add("Flatten", ["rois"])
    x = g.dense(g.dense(x, 49 * WIDTH, 1024), 1024, 1024)
    g.output(g.dense(x, 1024, CLASSES, relu=False), [ROIS, CLASSES])
    g.output(g.dense(x, 1024, 4 * CLASSES, relu=False), [ROIS, 4 * CLASSES])
    return g


def mask():
    g = Graph("mask", [("rois", [MASKS, WIDTH, 14, 14])])
    x = "rois"
    for _ in range(4):
        x = g.conv(x, WIDTH, WIDTH, side=3)
    w = g.kernel((WIDTH, WIDTH, 2, 2), WIDTH)
    x = g.add("ConvTranspose", [x, w, g.constant(np.zeros(WIDTH, np.float32))], kernel_shape=[2, 2], strides=[2, 2])
    x = g.conv(g.add("Relu", [x]), WIDTH, CLASSES, relu=False)
    g.output(g.add("Sigmoid", [x]), [MASKS, CLASSES, 28, 28])
    return g


if __name__ == "__main__":
    a = peer_worker.options(__doc__.split("\n")[0])
    os.makedirs(a.graphs, exist_ok=True)
    for graph in (pyramid(a.backbone, a.size), box(), mask()):
        graph.save(a.graphs)
