#!/usr/bin/env python3
"""mrcnn's network in OpenCV's DNN module, in parts (peer_graphs.py writes them; peer_worker.py says how it is asked)."""
import os

import peer_worker


def prepare(o):
    import cv2
    cv2.setNumThreads(o.threads)

    def part(name, entry, numbers):
        net = cv2.dnn.readNetFromONNX(os.path.join(o.graphs, name + ".onnx"))
        outputs = net.getUnconnectedOutLayersNames()

        def run():
            net.setInput(numbers, entry)
            net.forward(outputs)

        return name, run

    return "OpenCV " + cv2.__version__, [part(*p) for p in peer_worker.graph_inputs(o.size)]


if __name__ == "__main__":
    peer_worker.serve(prepare, __doc__)
