#!/usr/bin/env python3
"""mrcnn's network in ONNX Runtime, in parts (peer_graphs.py writes them; peer_worker.py says how it is asked)."""
import os

import peer_worker


def prepare(o):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = o.threads
    settings.inter_op_num_threads = 1

    def part(name, entry, numbers):
        session = onnxruntime.InferenceSession(os.path.join(o.graphs, name + ".onnx"), settings, providers=["CPUExecutionProvider"])
        return name, lambda: session.run(None, {entry: numbers})

    return "ONNX Runtime " + onnxruntime.__version__, [part(*p) for p in peer_worker.graph_inputs(o.size)]


if __name__ == "__main__":
    peer_worker.serve(prepare, __doc__)
