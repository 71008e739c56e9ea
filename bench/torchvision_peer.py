#!/usr/bin/env python3
"""Times mrcnn beside torchvision's Mask R-CNN: same machine, same picture size, same numbers of proposals and
detections, runs interleaved, medians. Both have random weights: speed doesn't depend on them as long as both keep all
their proposals and detections.

    bench/torchvision_peer.py [--mrcnn build/mrcnn] [--backbone resnet50|resnet101] [--size 1024] [--runs 5] [--threads 2]

torchvision's RPN has 256 channels where ours (matterport's) has 512: it does less work.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys


def torch_worker(backbone, size, threads):
    """One line a run: milliseconds and the process's peak memory in bytes. Starts a run for each line it reads."""
    import resource
    import time
    import torch
    import torchvision
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    try:
        body = resnet_fpn_backbone(backbone_name=backbone, weights=None)
    except TypeError:
        body = resnet_fpn_backbone(backbone, pretrained=False)
    model = MaskRCNN(body, 81, min_size=size, max_size=size, rpn_post_nms_top_n_test=1000, rpn_pre_nms_top_n_test=6000,
                     rpn_nms_thresh=0.99, box_nms_thresh=1.0, box_detections_per_img=100)
    model.eval()
    # Random residual blocks would double the activations until they overflow; what isn't finite is slow, and nothing is found.
    for name, buffer in model.backbone.named_buffers():
        if name.endswith("bn3.weight"):
            buffer.fill_(0.2)
    # One class a proposal stands out, as with trained weights: 1,000 candidates for the last NMS and 100 masks. With random scores
    # it would be either none or 80,000 of them.
    scores = model.roi_heads.box_predictor.cls_score
    torch.nn.init.zeros_(scores.weight)
    torch.nn.init.zeros_(scores.bias)
    scores.bias.data[1] = 8.0
    picture = torch.rand(3, size, size)
    print("torch %s, torchvision %s" % (torch.__version__, torchvision.__version__), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        with torch.inference_mode():
            found = len(model([picture])[0]["boxes"])
        ms = (time.perf_counter() - start) * 1e3
        print(json.dumps({"ms": ms, "found": found, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}),
              flush=True)


def run_mrcnn(program, backbone, size, threads):
    """A fresh process each time: its warm-up isn't counted, its model is."""
    out = subprocess.run([program, "bench", "--set", "BACKBONE=" + backbone, "--set", "NUM_CLASSES=81", "--size", str(size),
                          "--runs", "1", "--threads", str(threads), "--json", "-"],
                         check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return json.loads(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mrcnn", default="build/mrcnn")
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.worker:
        return torch_worker(a.backbone, a.size, a.threads)

    worker = subprocess.Popen([sys.executable, __file__, "--worker", "--backbone", a.backbone, "--size", str(a.size),
                               "--threads", str(a.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    versions = worker.stdout.readline().strip()

    def run_torch():
        worker.stdin.write("\n")
        worker.stdin.flush()
        return json.loads(worker.stdout.readline())

    run_torch()  # warm-up
    ours, theirs = [], []
    for i in range(a.runs):
        theirs.append(run_torch())
        ours.append(run_mrcnn(a.mrcnn, a.backbone, a.size, a.threads))
        print("run %d: torchvision %6.0f ms, mrcnn %6.0f ms" % (i + 1, theirs[-1]["ms"], ours[-1]["total_ms"]),
              file=sys.stderr)
    worker.stdin.close()
    worker.wait()

    t = statistics.median(r["ms"] for r in theirs)
    m = statistics.median(r["total_ms"] for r in ours)
    peak_t, peak_m = max(r["peak"] for r in theirs), max(r["peak_bytes"] for r in ours)
    print("%s, %d x %d, %d threads, median of %d (%s)" % (a.backbone, a.size, a.size, a.threads, a.runs, versions))
    print("%-12s %8s %10s   (%d instances each)" % ("", "ms", "peak MB", theirs[-1]["found"]))
    print("%-12s %8.0f %10.0f" % ("torchvision", t, peak_t / 1e6))
    print("%-12s %8.0f %10.0f" % ("mrcnn", m, peak_m / 1e6))
    print("mrcnn is %.2f times as fast and takes %.2f of the memory" % (t / m, peak_m / peak_t))
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"backbone": a.backbone, "size": a.size, "torchvision_ms": t, "mrcnn_ms": m, "torchvision_peak_bytes": peak_t,
                       "mrcnn_peak_bytes": peak_m, "ratio": t / m, "versions": versions}, f, indent=1)


if __name__ == "__main__":
    main()
