#!/usr/bin/env python3
"""Trains torchvision's Mask R-CNN (ResNet-18, FPN) from fresh weights on a small data set for so many minutes, then evaluates it
with pycocotools: what mrcnn's training is compared with, at the same wall time on the same cores.

    bench/nuclei_peer.py --train DIR --val DIR --minutes 10 --out FIGURES.json
    bench/nuclei_peer.py --dataset via --train balloon/train --val balloon/val --minutes 60 --out FIGURES.json

A folder of nuclei has ID/images/*.png and ID/masks/*.png for each picture, one of VIA its pictures and via_region_data.json
with polygons. There is one class. The clock starts before the first picture is read and stops after the last step; validation
pictures are seen once, at the end. What the network is lies in build(), what a data set needs in RECIPES, the rest of the recipe
in train().
"""
import argparse
import ctypes
import glob
import json
import math
import os
import resource
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch: threads that spin take the core that prepares the next pictures

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

CHANNELS, BOX_CHANNELS = 128, 256  # of the pyramid and the mask head; of the box head
BATCH, LEARNING_RATE, WEIGHT_DECAY, WARMUP, CLIP = 4, 1e-3, 0.01, 60, 5.0
LOG_STEPS = 50

RECIPES = {
    # crop: side of a training picture; zoom: range of its scale; fit: zoom 1 is the picture's longer side at `crop`, not its own
    # size; test_zoom: scale of a picture in evaluation; hue: how far the channels' gains go apart
    "nuclei": dict(crop=256, fit=False, zoom=(1.0, 2.0), test_zoom=1.5, anchors=(8, 16, 32, 64, 128), detections=400,
                   turns=True, invert=0.25, hue=0.0),
    "via": dict(crop=512, fit=True, zoom=(0.6, 1.6), test_zoom=1.0, anchors=(32, 64, 128, 256, 512), detections=100,
                turns=False, invert=0.0, hue=0.15),
}


# Data: a picture is a dict of its name, its size, its pixels, and its objects as run lengths

def read_nuclei(folder):
    for name in sorted(os.listdir(folder)):
        path, = glob.glob(os.path.join(folder, name, "images", "*.png"))
        files = sorted(glob.glob(os.path.join(folder, name, "masks", "*.png")))
        masks = [np.asarray(Image.open(f).convert("L")) > 127 for f in files]
        yield path, [rle.encode(np.asfortranarray(m, dtype=np.uint8)) for m in masks]


def read_via(folder):
    with open(os.path.join(folder, "via_region_data.json")) as f:
        entries = json.load(f)
    for entry in sorted(entries.values(), key=lambda e: e["filename"]):
        path = os.path.join(folder, entry["filename"])
        width, height = Image.open(path).size
        objects = []
        for region in entry["regions"].values():
            shape = region["shape_attributes"]
            polygon = [float(v) for point in zip(shape["all_points_x"], shape["all_points_y"]) for v in point]
            objects.append(rle.merge(rle.frPyObjects([polygon], height, width)))
        yield path, objects


def read_pictures(folder, dataset, recipe):
    """All of a folder, in memory: photos shrunk to the largest size in which they are used, each picture's pixels standardised."""
    pictures = []
    for path, objects in {"nuclei": read_nuclei, "via": read_via}[dataset](folder):
        image = Image.open(path).convert("RGB")
        size, scale = (image.height, image.width), 1.0
        if recipe["fit"]:
            scale = min(1.0, recipe["crop"] * recipe["zoom"][1] / max(size))
            image = image.resize((round(size[1] * scale), round(size[0] * scale)), Image.LANCZOS)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        pixels = (pixels - pixels.mean()) / pixels.std().clamp(min=1.0)
        masks = []
        for o in objects:
            mask = Image.fromarray(rle.decode(o)).resize(image.size, Image.NEAREST)
            x0, y0, x1, y1 = mask.getbbox() or (0, 0, 0, 0)
            masks.append((y0, x0, torch.from_numpy(np.asarray(mask)[y0:y1, x0:x1].copy())))
        pictures.append(dict(path=path, size=size, objects=objects, pixels=pixels, masks=masks))
    return pictures


def zoom_of(picture, recipe, zoom):
    """Network pixels for each pixel in memory."""
    return zoom * recipe["crop"] / max(picture["pixels"].shape[1:]) if recipe["fit"] else zoom


def resize(pixels, height, width):
    return F.interpolate(pixels[None], size=(height, width), mode="bilinear", align_corners=False, antialias=True)[0]


def window(picture, y, x, side):
    """A square of the picture and of its objects' masks, zeros where it reaches beyond the edges."""
    pixels = torch.zeros(3, side, side)
    height, width = picture["pixels"].shape[1:]
    y0, x0, y1, x1 = max(y, 0), max(x, 0), min(y + side, height), min(x + side, width)
    pixels[:, y0 - y:y1 - y, x0 - x:x1 - x] = picture["pixels"][:, y0:y1, x0:x1]
    masks = []
    for top, left, patch in picture["masks"]:
        bottom, right = top + patch.shape[0], left + patch.shape[1]
        y0, x0, y1, x1 = max(y, top), max(x, left), min(y + side, bottom), min(x + side, right)
        if y0 < y1 and x0 < x1:
            mask = torch.zeros(side, side, dtype=torch.uint8)
            mask[y0 - y:y1 - y, x0 - x:x1 - x] = patch[y0 - top:y1 - top, x0 - left:x1 - left]
            masks.append(mask)
    return pixels, torch.stack(masks) if masks else torch.zeros(0, side, side, dtype=torch.uint8)


def boxes_of(masks):
    """x0, y0, x1, y1 around each mask, the far edges exclusive; zeros for an empty one."""
    boxes = np.zeros((len(masks), 4), np.float32)
    for i, mask in enumerate(masks.numpy()):
        ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if len(ys):
            boxes[i] = xs[0], ys[0], xs[-1] + 1, ys[-1] + 1
    return torch.from_numpy(boxes)


def colours(pixels, recipe, rng):
    """Contrast, brightness and colour of standardised pixels; to invert them is to change their sign."""
    gain = rng.uniform(0.7, 1.4) * rng.uniform(1 - recipe["hue"], 1 + recipe["hue"], 3)
    pixels = pixels * torch.tensor(gain, dtype=torch.float32)[:, None, None] + rng.uniform(-0.3, 0.3)
    return -pixels if rng.random() < recipe["invert"] else pixels


def draw_sample(picture, recipe, rng):
    """A training picture and its target: a window, zoomed, mirrored, turned, coloured."""
    crop = recipe["crop"]
    side = max(1, round(crop / zoom_of(picture, recipe, rng.uniform(*recipe["zoom"]))))
    y, x = (int(rng.integers(min(0, n - side), max(0, n - side) + 1)) for n in picture["pixels"].shape[1:])
    pixels, masks = window(picture, y, x, side)
    pixels = resize(pixels, crop, crop)
    nearest = ((torch.arange(crop) + 0.5) * side / crop).long()
    masks = masks[:, nearest][:, :, nearest]
    flips = [d for d in ((-1, -2) if recipe["turns"] else (-1,)) if rng.random() < 0.5]
    turns = int(rng.integers(4)) if recipe["turns"] else 0
    pixels, masks = (torch.rot90(t.flip(flips), turns, (-2, -1)).contiguous() for t in (pixels, masks))
    boxes = boxes_of(masks)
    keep = (boxes[:, 2] - boxes[:, 0] >= 2) & (boxes[:, 3] - boxes[:, 1] >= 2)
    target = {"boxes": boxes[keep], "labels": torch.ones(int(keep.sum()), dtype=torch.int64), "masks": masks[keep]}
    return colours(pixels, recipe, rng), target


class Batches(torch.utils.data.IterableDataset):
    """Batches without end; each pass over the pictures has an order of its own."""

    def __init__(self, pictures, recipe, seed):
        self.pictures, self.recipe, self.seed = pictures, recipe, seed

    def __iter__(self):
        rng, order = np.random.default_rng(self.seed), []
        while True:
            batch = []
            while len(batch) < BATCH:
                order = order or list(rng.permutation(len(self.pictures)))
                batch.append(draw_sample(self.pictures[order.pop()], self.recipe, rng))
            yield [b[0] for b in batch], [b[1] for b in batch]


# Network and training

def build(recipe):
    body = torchvision.models.resnet18(weights=None, norm_layer=torch.nn.BatchNorm2d)
    layers = {"layer%d" % (i + 1): str(i) for i in range(4)}
    backbone = BackboneWithFPN(body, layers, [64, 128, 256, 512], CHANNELS, extra_blocks=LastLevelMaxPool())
    anchors = AnchorGenerator(tuple((s,) for s in recipe["anchors"]), ((0.5, 1.0, 2.0),) * len(recipe["anchors"]))
    return MaskRCNN(backbone, min_size=recipe["crop"], max_size=recipe["crop"], image_mean=[0.0] * 3, image_std=[1.0] * 3,
                    rpn_anchor_generator=anchors, rpn_pre_nms_top_n_train=1000, rpn_post_nms_top_n_train=500,
                    rpn_pre_nms_top_n_test=2000, rpn_post_nms_top_n_test=1000,
                    box_head=TwoMLPHead(CHANNELS * 7 * 7, BOX_CHANNELS), box_predictor=FastRCNNPredictor(BOX_CHANNELS, 2),
                    box_batch_size_per_image=128, box_score_thresh=0.01, box_nms_thresh=0.5,
                    box_detections_per_img=recipe["detections"],
                    mask_head=MaskRCNNHeads(CHANNELS, (CHANNELS,) * 4, 1), mask_predictor=MaskRCNNPredictor(CHANNELS, CHANNELS, 2))


def train(model, folder, a, recipe):
    """Steps until the time is over; the learning rate follows the clock. Returns the figures and the log of a run."""
    start = time.monotonic()
    pictures = read_pictures(folder, a.dataset, recipe)
    batches = iter(torch.utils.data.DataLoader(Batches(pictures, recipe, a.seed), batch_size=None, num_workers=1, prefetch_factor=4))
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    model.train()
    log, sums, step, objects = [], {}, 0, 0
    while (done := (time.monotonic() - start) / (60 * a.minutes)) < 1:
        step += 1
        rate = LEARNING_RATE * min(1, step / WARMUP) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = rate
        images, targets = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            losses = model(images, targets)
        loss = sum(losses.values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, CLIP)
        optimizer.step()
        objects += sum(len(t["labels"]) for t in targets)
        for name, value in [("loss", loss), *losses.items()]:
            sums[name] = sums.get(name, 0.0) + value.item()
        if step % LOG_STEPS == 0:
            log.append({"step": step, "seconds": round(time.monotonic() - start, 1), "lr": rate,
                        **{name: round(value / LOG_STEPS, 5) for name, value in sums.items()}})
            print(json.dumps(log[-1]), file=sys.stderr, flush=True)
            sums = {}
    seconds = time.monotonic() - start
    return {"seconds": round(seconds, 1), "steps": step, "pictures": step * BATCH,
            "pictures_per_second": round(step * BATCH / seconds, 3), "objects": objects, "training_pictures": len(pictures), "log": log}


# Evaluation

@torch.inference_mode()
def detect(model, picture, recipe):
    """What torchvision's GeneralizedRCNN.forward() does, at a size of our choice; masks have the original picture's size."""
    zoom = zoom_of(picture, recipe, recipe["test_zoom"])
    pixels = resize(picture["pixels"], *(round(n * zoom) for n in picture["pixels"].shape[1:]))
    images = ImageList(model.transform.batch_images([pixels], 32), [tuple(pixels.shape[1:])])
    features = model.backbone(images.tensors)
    proposals, _ = model.rpn(images, features)
    found, _ = model.roi_heads(features, proposals, images.image_sizes)
    return model.transform.postprocess(found, images.image_sizes, [picture["size"]])[0]


def results_of(found, image_id, path):
    results = []
    for box, score, mask in zip(found["boxes"].tolist(), found["scores"].tolist(), found["masks"]):
        code = rle.encode(np.asfortranarray((mask[0] > 0.5).numpy(), dtype=np.uint8))
        results.append({"image_id": image_id, "file_name": os.path.basename(path), "category_id": 1, "score": score,
                        "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                        "segmentation": {"size": code["size"], "counts": code["counts"].decode()}})
    return results


def average_precision(pictures, results, detections):
    """COCO's mask AP, AP50, AP75 and AR over all sizes, of up to so many detections a picture."""
    annotations = []
    for image_id, picture in enumerate(pictures, 1):
        annotations += [{"image_id": image_id, "category_id": 1, "iscrowd": 0, "segmentation": o, "area": float(rle.area(o)),
                         "bbox": [float(v) for v in rle.toBbox(o)]} for o in picture["objects"]]
    truth = COCO()
    images = [{"id": i, "height": p["size"][0], "width": p["size"][1]} for i, p in enumerate(pictures, 1)]
    truth.dataset = {"info": {}, "images": images, "categories": [{"id": 1, "name": "object"}],
                     "annotations": [dict(o, id=i) for i, o in enumerate(annotations, 1)]}
    truth.createIndex()
    if not results:
        return {"AP": 0.0, "AP50": 0.0, "AP75": 0.0, "AR": 0.0}
    evaluation = COCOeval(truth, truth.loadRes([dict(r) for r in results]), "segm")
    evaluation.params.maxDets = [1, 100, detections]
    evaluation.evaluate()
    evaluation.accumulate()
    precision, recall = evaluation.eval["precision"][:, :, 0, 0, 2], evaluation.eval["recall"][:, 0, 0, 2]
    return {"AP": precision.mean(), "AP50": precision[0].mean(), "AP75": precision[5].mean(), "AR": recall.mean()}


def draw_overlay(picture, found, path):
    """The picture with what was found in it, as sure as 0.5 or surer, each in a colour of its own."""
    pixels = np.array(Image.open(picture["path"]).convert("RGB")).astype(np.float32)
    rng = np.random.default_rng(1)
    for score, mask in zip(found["scores"].tolist(), found["masks"].numpy()):
        if score >= 0.5:
            inside = mask[0] > 0.5
            pixels[inside] = 0.5 * pixels[inside] + 0.5 * rng.uniform(60, 255, 3)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def evaluate(model, folder, a, recipe):
    pictures = read_pictures(folder, a.dataset, recipe)
    model.eval()
    results, seconds = [], 0.0
    for i, picture in enumerate(pictures):
        start = time.monotonic()
        found = detect(model, picture, recipe)
        seconds += time.monotonic() - start
        results += results_of(found, i + 1, picture["path"])
        if a.overlays and i % 4 == 0:
            os.makedirs(a.overlays, exist_ok=True)
            draw_overlay(picture, found, os.path.join(a.overlays, "%02d.png" % i))
    if a.results:
        with open(a.results, "w") as f:
            json.dump(results, f)
    figures = average_precision(pictures, results, recipe["detections"])
    return {**{name: round(float(value), 4) for name, value in figures.items()}, "validation_pictures": len(pictures),
            "seconds_a_picture": round(seconds / len(pictures), 3)}


def keep_memory():
    """Keeps freed blocks in the process (glibc): else each step's maps are cleared by the system anew."""
    libc, trim_threshold, mmap_threshold = ctypes.CDLL(None), -1, -3
    if hasattr(libc, "mallopt"):
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, (1 << 31) - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dataset", default="nuclei", choices=sorted(RECIPES))
    parser.add_argument("--train", required=True, metavar="DIR")
    parser.add_argument("--val", required=True, metavar="DIR")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", metavar="FILE", help="write the figures and the log of the losses to this file, as JSON")
    parser.add_argument("--results", metavar="FILE", help="write the detections to this file, as COCO's results")
    parser.add_argument("--weights", metavar="FILE", help="write the trained weights to this file, or read them with --minutes 0")
    parser.add_argument("--overlays", metavar="DIR", help="draw every fourth validation picture with what was found")
    a = parser.parse_args()

    keep_memory()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    recipe = RECIPES[a.dataset]
    model = build(recipe).to(memory_format=torch.channels_last)
    figures = {"dataset": a.dataset, "minutes": a.minutes, "seed": a.seed, "threads": a.threads, "torch": torch.__version__,
               "torchvision": torchvision.__version__, "parameters": sum(p.numel() for p in model.parameters())}
    if a.minutes > 0:
        figures.update(train(model, a.train, a, recipe))
        figures["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if a.weights:
            torch.save(model.state_dict(), a.weights)
    else:
        model.load_state_dict(torch.load(a.weights))
    figures.update(evaluate(model, a.val, a, recipe))
    if a.out:
        with open(a.out, "w") as f:
            json.dump(figures, f, indent=1)
    figures.pop("log", None)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
