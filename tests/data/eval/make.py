"""Evaluation cases with the figures that pycocotools 2.0.11 and numpy 2.4 give for them.

    python make.py > cases.txt              the cases that the tests know
    python make.py SEED COUNT > more.txt    so many random ones; test_eval more.txt checks them

A case is a list of pictures (height, width), each with its objects (class, crowd, x, y, width,
height, area, mask) and what was found (class, score, y1, x1, y2, x2, mask), then the figures; of each
class, AP, AP50 and AP75, and precision and scores at recall 0, 0.4 and 0.8, each for IoU 0.50, 0.75 and the mean.
"""
import contextlib
import io
import sys

import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SEED = 2
BASE = dict(size=(120, 150), classes=4, pictures=3, objects=5, big=.3, crowd=0., per=2,
            noise=[0, 1, 2, 4], false=2, levels=0, unused=0, empty=0., bare=(), blind=())
NAMED = dict(
    plain=dict(),
    crowds=dict(crowd=.4, objects=8, per=4, pictures=4),
    equal_scores=dict(levels=3, per=3, pictures=5),
    no_detections=dict(blind=range(9), objects=4),
    bare_pictures=dict(pictures=5, bare=[1, 3], blind=[0], false=4),
    no_objects=dict(objects=0, false=4),
    unused_class=dict(unused=1, classes=5),
    one_class=dict(classes=2, size=(24, 30), pictures=4),
    large=dict(size=(260, 300), big=.8, pictures=4, objects=5),
    empty_masks=dict(empty=.3, pictures=4),
    more_than_ten=dict(classes=2, pictures=2, objects=9, per=4, size=(60, 60)),
    more_than_hundred=dict(classes=2, pictures=1, size=(30, 40), objects=9, per=40, levels=7),
)


def draw(kind, height, width, box):
    y1, x1, y2, x2 = box
    y, x = np.mgrid[:height, :width]
    inside = (y >= y1) & (y < y2) & (x >= x1) & (x < x2)
    if kind == 1:
        inside &= ((2 * y - y1 - y2 + 1) / (y2 - y1)) ** 2 + ((2 * x - x1 - x2 + 1) / (x2 - x1)) ** 2 <= 1
    if kind == 2:
        inside &= (y - y1) * (x2 - x1) >= (x - x1) * (y2 - y1)
    return inside


def random_box(rng, height, width, big):
    part = 1 if rng.random() < big else 3
    h, w = int(rng.integers(1, height // part + 1)), int(rng.integers(1, width // part + 1))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    return [y, x, y + h, x + w]


def moved(rng, box, height, width, noise):
    y1, x1, y2, x2 = [int(round(v + noise * rng.normal())) for v in box]
    y1, x1 = min(max(y1, 0), height - 1), min(max(x1, 0), width - 1)
    return [y1, x1, min(max(y2, y1 + 1), height), min(max(x2, x1 + 1), width)]


def make_picture(rng, s, number):
    height, width = s["size"]
    objects, found = [], []
    for _ in range(0 if number in s["bare"] else int(rng.integers(0, s["objects"] + 1))):
        box, kind = random_box(rng, height, width, s["big"]), int(rng.integers(3))
        mask = draw(kind, height, width, box) & (rng.random() >= s["empty"])
        y1, x1, y2, x2 = box
        objects.append(dict(
            c=int(rng.integers(1, s["classes"] - s["unused"])), crowd=int(rng.random() < s["crowd"]),
            box=[x1 + float(np.round(rng.random() / 2, 2)), y1 + .25, x2 - x1 - .1, float(y2 - y1)],
            area=float(mask.sum()), mask=mask, around=box, kind=kind))
    if number not in s["blind"]:
        for o in objects:
            for _ in range(int(rng.integers(0, s["per"] + 1))):
                c = o["c"] if rng.random() < .85 else int(rng.integers(1, s["classes"]))
                found.append((c, moved(rng, o["around"], height, width, rng.choice(s["noise"])), o["kind"]))
        for _ in range(int(rng.integers(0, s["false"] + 1))):
            found.append((int(rng.integers(1, s["classes"])), random_box(rng, height, width, s["big"]), 0))
    detections = []
    for c, box, kind in found:
        score = rng.random()
        if s["levels"]:
            score = np.floor(score * s["levels"]) / s["levels"]
        mask = draw(kind, height, width, box) & (rng.random() >= s["empty"])
        detections.append(dict(c=c, box=box, score=float(np.float32(score)), mask=mask))
    return height, width, objects, detections


def encode(mask):
    return rle.encode(np.asfortranarray(mask.astype(np.uint8)))


def coco_figures(classes, pictures, kind):
    truths, found = [], []
    for i, (_, _, objects, detections) in enumerate(pictures, 1):
        for o in objects:
            truths.append(dict(id=len(truths) + 1, image_id=i, category_id=o["c"], iscrowd=o["crowd"],
                               bbox=o["box"], area=o["area"], segmentation=encode(o["mask"])))
        for d in detections:
            y1, x1, y2, x2 = d["box"]
            what = dict(bbox=[x1, y1, x2 - x1, y2 - y1]) if kind == "bbox" else dict(segmentation=encode(d["mask"]))
            found.append(dict(image_id=i, category_id=d["c"], score=d["score"], **what))
    data = dict(info={}, categories=[dict(id=c, name=str(c)) for c in range(1, classes)],
                images=[dict(id=i, height=p[0], width=p[1]) for i, p in enumerate(pictures, 1)])
    with contextlib.redirect_stdout(io.StringIO()):
        gt, dt = COCO(), COCO()
        gt.dataset, dt.dataset = dict(data, annotations=truths), dict(data, annotations=[])
        gt.createIndex()
        dt.createIndex()
        run = COCOeval(gt, gt.loadRes(found) if found else dt, kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    rows = []
    for c in range(classes - 1):
        p, s = (run.eval[k][:, :, c, 0, 2] for k in ("precision", "scores"))
        rows.append([float(np.mean(v[v > -1])) if (v > -1).any() else -1. for v in (p, p[0], p[5])])
        rows[-1].append([float(v) for t in (p, s) for u in (t[0], t[5], t.mean(0)) for v in u[::40]])
    return [float(v) for v in run.stats], rows


def picture_ap(objects, detections, threshold):
    """matterport's compute_ap; of equal scores the last one comes first, as in argsort()[::-1]."""
    hits, taken = [], set()
    for d in sorted(detections, key=lambda d: d["score"])[::-1]:
        best = None
        for k, o in enumerate(objects):
            both, all_ = np.float32((d["mask"] & o["mask"]).sum()), np.float32((d["mask"] | o["mask"]).sum())
            iou = both / all_ if all_ else np.float32(0)
            if o["c"] == d["c"] and k not in taken and iou >= threshold and (best is None or iou >= best[0]):
                best = iou, k
        hits.append(best is not None)
        taken |= {best[1]} if best else set()
    found = np.cumsum(hits)
    recall = np.concatenate([[0], found.astype(np.float32) / np.float32(len(objects)), [1]])
    precision = np.concatenate([[0], found / (np.arange(len(hits)) + 1), [0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * precision[1:]))


def picture_map(pictures):
    rows = []
    for _, _, objects, detections in pictures:
        objects = [o for o in objects if not o["crowd"] and o["mask"].any()]
        if objects:
            rows.append([picture_ap(objects, detections, t) for t in np.arange(.5, 1., .05)])
    return [float(np.mean(rows, 0)[0]), float(np.mean(rows))] if rows else [-1., -1.]


def emit(name, seed, settings):
    rng = np.random.default_rng(seed)
    s = dict(BASE, **settings)
    classes, pictures = s["classes"], [make_picture(rng, s, i) for i in range(s["pictures"])]
    text = lambda values: " ".join(repr(v) for v in values)
    print(f"# default_rng({seed}), {settings}\ncase {name} {classes}")
    for height, width, objects, detections in pictures:
        print(f"picture {height} {width}")
        for o in objects:
            print("object", o["c"], o["crowd"], text(o["box"]), o["area"], encode(o["mask"])["counts"].decode())
        for d in detections:
            print("found", d["c"], d["score"], text(d["box"]), encode(d["mask"])["counts"].decode())
    for kind in "bbox", "segm":
        figures, rows = coco_figures(classes, pictures, kind)
        print(kind, text(figures))
        for c, row in enumerate(rows, 1):
            print(f"{kind}_class {c} {text(row[:3])}")
            print(f"{kind}_curve {c} {text(row[3])}")
    if all(len({d["score"] for d in p[3]}) == len(p[3]) for p in pictures):
        print("picture_map", text(picture_map(pictures)))
    print("end\n")


def random_settings(rng):
    return dict(size=(int(rng.integers(20, 160)), int(rng.integers(20, 200))), classes=int(rng.integers(2, 7)),
                pictures=int(rng.integers(1, 8)), objects=int(rng.integers(0, 9)), per=int(rng.integers(0, 5)),
                crowd=float(rng.choice([0, .2, .6])), false=int(rng.integers(0, 8)), big=float(rng.choice([.1, .6])),
                levels=int(rng.choice([0, 0, 2, 5])), empty=float(rng.choice([0, .1])))


if len(sys.argv) > 2:
    for i in range(int(sys.argv[2])):
        seed = [int(sys.argv[1]), i]
        emit(f"random_{i}", seed, random_settings(np.random.default_rng(seed + [0])))
else:
    for case in NAMED:
        emit(case, SEED, NAMED[case])
