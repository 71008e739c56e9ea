"""What the peers' workers share: options, and the protocol that bench_report speaks with them.

A worker gets its network ready, prints one line of JSON, {"version": "..."} or {"failure": "..."}, and then makes one pass for each line
that it reads, and answers it with a line: {"total_ms": ..., "peak_bytes": ..., "stages": [{"name": ..., "ms": ...}]}. The first
pass is the one that warms up. It ends when its input does. So all peers are in memory, idle, while one is timed.
"""
import argparse
import json
import os
import resource
import sys
import time


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--backbone", default="resnet50", choices=["resnet50", "resnet101"])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--graphs", default=".", help="folder with what peer_graphs.py wrote")
    return parser.parse_args()


def say(answer):
    print(json.dumps(answer), flush=True)


def graph_inputs(size):
    """Name of an ONNX file of peer_graphs.py, its input's name, and random numbers for it."""
    import numpy as np
    random = np.random.default_rng(2)
    shapes = [("pyramid", "picture", (1, 3, size, size)), ("box", "rois", (1000, 256, 7, 7)), ("mask", "rois", (100, 256, 14, 14))]
    return [(name, entry, random.standard_normal(shape, dtype=np.float32)) for name, entry, shape in shapes]


def timed(name, function):
    start = time.perf_counter()
    function()
    return {"name": name, "ms": (time.perf_counter() - start) * 1e3}


def serve(prepare, description):
    """prepare(options) returns the version as text and a list of parts: (name, function of nothing)."""
    try:
        version, parts = prepare(options(description))
    except Exception as problem:  # whatever a library throws: the report says why there are no figures
        say({"failure": ("%s: %s" % (type(problem).__name__, problem)).split("\n")[0]})
        return
    say({"version": version})
    for _ in sys.stdin:
        try:
            stages = [timed(name, function) for name, function in parts]
        except Exception as problem:
            say({"failure": ("%s: %s" % (type(problem).__name__, problem)).split("\n")[0]})
            return
        say({"total_ms": sum(s["ms"] for s in stages), "stages": stages,
             "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
