#!/usr/bin/env python3
"""mrcnn's network in OpenVINO, in parts (peer_graphs.py writes them; peer_worker.py says how it is asked)."""
import os

import peer_worker


def prepare(o):
    import openvino
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": o.threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": o.precision}

    def part(name, entry, numbers):
        compiled = core.compile_model(os.path.join(o.graphs, name + ".onnx"), "CPU", settings)
        got = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if got != o.precision:
            raise RuntimeError("computes in %s, not in %s" % (got, o.precision))
        request = compiled.create_infer_request()
        return name, lambda: request.infer({entry: numbers})

    return "OpenVINO " + openvino.__version__.split("-")[0], [part(*p) for p in peer_worker.graph_inputs(o.size)]


if __name__ == "__main__":
    peer_worker.serve(prepare, __doc__)
