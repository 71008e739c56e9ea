#!/usr/bin/env python3
"""mrcnn eval --results beside pycocotools: the same figures, and how long each takes.

    bench/eval_peer.py ANNOTATIONS.json [--mrcnn build/mrcnn] [--copies 1] [--rounds 5] [--threads 1]

Detections are the ground truth, moved and cut a little: about three for each object, some of a wrong
class, with scores that are often equal. `--copies` repeats the pictures under new ids, for a larger set.
pycocotools is timed from opening the annotations to its summary, without Python's start; mrcnn as a
whole program. Rounds take turns; times are medians, of wall time and of the processor's, which says more on a busy
machine. The exit code is 1 when one of the twelve figures differs in any digit.
"""
import argparse
import contextlib
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

FIGURES = "AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl".split()


def copies_of(data, count):
    """The same pictures again and again, ids and names apart from each other's."""
    images, annotations = [], []
    step = 1 + max(i["id"] for i in data["images"])
    stride = 1 + max(a["id"] for a in data["annotations"])
    for k in range(count):
        prefix = f"copy{k}/" if k else ""
        images += [dict(i, id=i["id"] + k * step, file_name=prefix + i["file_name"]) for i in data["images"]]
        annotations += [dict(a, id=a["id"] + k * stride, image_id=a["image_id"] + k * step)
                        for a in data["annotations"]]
    return dict(data, images=images, annotations=annotations)


def moved(mask, dy, dx):
    out = np.zeros_like(mask)
    h, w = mask.shape
    out[max(dy, 0):h + min(dy, 0), max(dx, 0):w + min(dx, 0)] = \
        mask[max(-dy, 0):h + min(-dy, 0), max(-dx, 0):w + min(-dx, 0)]
    return out


def detections_of(coco, seed):
    """One results file of boxes, one of masks."""
    rng = random.Random(seed)
    categories = sorted(coco.cats)
    boxes, masks = [], []
    for annotation in coco.dataset["annotations"]:
        if annotation["iscrowd"] and rng.random() < .5:
            continue
        mask = coco.annToMask(annotation)
        x, y, w, h = annotation["bbox"]
        for _ in range(rng.choice([0, 1, 2, 3, 5])):
            reach = rng.choice([.01, .05, .1, .3])
            dx, dy = (rng.gauss(0, reach) * side for side in (w, h))
            cut = moved(mask, int(round(dy)), int(round(dx)))
            if rng.random() < .3:
                cut[:, : int(x + w * rng.random() / 2)] = 0
            common = dict(image_id=annotation["image_id"], score=round(rng.random(), rng.choice([1, 2, 6])),
                          category_id=annotation["category_id"] if rng.random() < .9 else rng.choice(categories))
            boxes.append(dict(common, bbox=[round(v, 2) for v in (x + dx, y + dy, w * rng.uniform(.8, 1.2), h)]))
            code = rle.encode(np.asfortranarray(cut))
            masks.append(dict(common, segmentation=dict(size=code["size"], counts=code["counts"].decode())))
    return boxes, masks


def processor_seconds():
    """Of this process and those that it started."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def timed(run):
    begin, used = time.perf_counter(), processor_seconds()
    result = run()
    return result, time.perf_counter() - begin, processor_seconds() - used


def run_pycocotools(annotations, results, kind):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(annotations)
        run = COCOeval(truth, truth.loadRes(results), kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(v) for v in run.stats]


def run_mrcnn(program, annotations, results, kind, threads):
    command = [program, "eval", "--dataset", annotations, "--results", results, "--threads", str(threads), "--json", "-"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    figures = json.loads(out)[kind]
    return [figures[name] for name in FIGURES]


def compare(arguments, annotations, results, kind):
    theirs, ours = [], []
    for _ in range(arguments.rounds):
        expected, *times = timed(lambda: run_pycocotools(annotations, results, kind))
        theirs.append(times)
        figures, *times = timed(lambda: run_mrcnn(arguments.mrcnn, annotations, results, kind, arguments.threads))
        ours.append(times)
    wrong = [n for n, a, b in zip(FIGURES, figures, expected) if a != b]
    print(f"{kind}: " + " ".join(f"{n} {v:.3f}" for n, v in zip(FIGURES, figures)))
    print("  figures: " + ("equal to pycocotools' in all digits" if not wrong else "DIFFERENT: " + " ".join(wrong)))
    for i, what in enumerate(("wall time", "processor")):
        a, b = (statistics.median(t[i] for t in times) for times in (theirs, ours))
        print(f"  {what}: pycocotools {a:.3f} s, mrcnn {b:.3f} s, {a / b:.1f} times as fast")
    return not wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("annotations")
    parser.add_argument("--mrcnn", default="build/mrcnn")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="write the files to this folder, and leave them there")
    arguments = parser.parse_args()
    with open(arguments.annotations) as file:
        data = copies_of(json.load(file), arguments.copies)
    with tempfile.TemporaryDirectory() as folder:
        folder = arguments.keep or folder
        os.makedirs(folder, exist_ok=True)
        paths = [os.path.join(folder, name) for name in ("truth.json", "bbox.json", "segm.json")]
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO()
            coco.dataset = data
            coco.createIndex()
        contents = (data, *detections_of(coco, arguments.seed))
        for path, content in zip(paths, contents):
            with open(path, "w") as file:
                json.dump(content, file)
        print(f"{len(data['images'])} pictures, {len(data['annotations'])} objects, {len(contents[1])} detections, "
              f"median of {arguments.rounds} rounds, {arguments.threads} thread(s)")
        good = [compare(arguments, paths[0], path, kind) for path, kind in zip(paths[1:], ("bbox", "segm"))]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
