#!/usr/bin/env python3
"""Times a training step beside torchvision's Mask R-CNN: same machine, same picture size, ten objects, batch 1, f32, SGD with
momentum, runs interleaved, medians. Fresh weights on both sides.

    bench/torchvision_train_peer.py [--step build/bench/bench_train_step] [--layers all|heads] [--size 1024] [--runs 5]

Both sample 256 anchors and 200 RoIs. Ours has 66 positive RoIs, the most there can be, and an RPN of 512 channels; torchvision
finds the positives that a fresh network gives (the objects' own boxes at least), and its RPN has 256. It does less work.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

OBJECTS = 10


def torch_worker(backbone, layers, size, threads):
    """A step for each line that it reads; one line a step: milliseconds and the process's peak memory in bytes."""
    import resource
    import time
    import torch
    import torchvision
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    trained = 5 if layers == "all" else 0
    body = resnet_fpn_backbone(backbone_name=backbone, weights=None, trainable_layers=trained)
    model = MaskRCNN(body, 81, min_size=size, max_size=size, box_batch_size_per_image=200, box_positive_fraction=0.33)
    for name, buffer in model.backbone.named_buffers():  # random residual blocks would overflow
        if name.endswith("bn3.weight"):
            buffer.fill_(0.2)
    model.train()
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=1e-6, momentum=0.9)
    boxes, masks = [], torch.zeros((OBJECTS, size, size), dtype=torch.uint8)
    for i in range(OBJECTS):
        h, w = size // 10 + i * size // 50, size // 4 - i * size // 80
        y, x = (i * 83) % (size - h), (i * 131) % (size - w)
        boxes.append([x, y, x + w, y + h])
        masks[i, y:y + h, x:x + w] = 1
    target = {"boxes": torch.tensor(boxes, dtype=torch.float32), "labels": torch.ones(OBJECTS, dtype=torch.int64), "masks": masks}
    picture = torch.rand(3, size, size)
    print("torch %s, torchvision %s" % (torch.__version__, torchvision.__version__), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = sum(model([picture], [target]).values())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 5.0)
        optimizer.step()
        ms = (time.perf_counter() - start) * 1e3
        print(json.dumps({"ms": ms, "loss": loss.item(), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}),
              flush=True)


def run_ours(program, backbone, layers, size, threads):
    """A fresh process each time: its first step isn't counted, its memory is."""
    env = dict(os.environ, OMP_NUM_THREADS=str(threads))
    text = subprocess.run([program, layers, str(size), "1", backbone], check=True, stdout=subprocess.PIPE, text=True, env=env).stdout
    return {"ms": float(re.search(r"^step\s+([\d.]+)", text, re.M).group(1)),
            "peak": 1e6 * float(re.search(r"peak of the process (\d+) MB", text).group(1))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--step", default="build/bench/bench_train_step")
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--layers", default="all", choices=["all", "heads"])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.worker:
        return torch_worker(a.backbone, a.layers, a.size, a.threads)

    worker = subprocess.Popen([sys.executable, __file__, "--worker", "--backbone", a.backbone, "--layers", a.layers, "--size",
                               str(a.size), "--threads", str(a.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    versions = worker.stdout.readline().strip()

    def run_torch():
        worker.stdin.write("\n")
        worker.stdin.flush()
        return json.loads(worker.stdout.readline())

    run_torch()  # warm-up
    ours, theirs = [], []
    for i in range(a.runs):
        theirs.append(run_torch())
        ours.append(run_ours(a.step, a.backbone, a.layers, a.size, a.threads))
        print("step %d: torchvision %6.0f ms, mrcnn %6.0f ms" % (i + 1, theirs[-1]["ms"], ours[-1]["ms"]), file=sys.stderr)
    worker.stdin.close()
    worker.wait()

    t, m = (statistics.median(r["ms"] for r in runs) for runs in (theirs, ours))
    peak_t, peak_m = (max(r["peak"] for r in runs) for runs in (theirs, ours))
    print("%s, layers %s, %d x %d, %d threads, median of %d (%s)" % (a.backbone, a.layers, a.size, a.size, a.threads, a.runs, versions))
    print("%-12s %8s %10s" % ("", "ms", "peak MB"))
    print("%-12s %8.0f %10.0f" % ("torchvision", t, peak_t / 1e6))
    print("%-12s %8.0f %10.0f" % ("mrcnn", m, peak_m / 1e6))
    print("mrcnn is %.2f times as fast and takes %.2f of the memory" % (t / m, peak_m / peak_t))
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"backbone": a.backbone, "layers": a.layers, "size": a.size, "torchvision_ms": t, "mrcnn_ms": m,
                       "torchvision_peak_bytes": peak_t, "mrcnn_peak_bytes": peak_m, "ratio": t / m, "versions": versions}, f, indent=1)


if __name__ == "__main__":
    main()
