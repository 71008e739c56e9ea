#!/usr/bin/env python3
"""Makes this folder's cases: what each operation of AUGMENTATION does to a small picture and its masks,
computed by NumPy and SciPy from forward matrices. Operations are given without ranges, so that nothing
is drawn. In masks, 2 marks a pixel that lies on the edge between two: either value is right.

    python3 make.py      (NumPy, SciPy 1.10 or later)
"""
import colorsys
import json
import math

import numpy as np
from scipy import ndimage

rng = np.random.default_rng(4)


def picture(h, w, c):
    y, x = np.mgrid[0:h, 0:w]
    smooth = 90 + 60 * np.sin(x / 3.0 + y / 5.0)[..., None] + 30 * np.cos(y / 2.0)[..., None]
    return np.clip(smooth + 20 * np.arange(c) + rng.integers(0, 40, (h, w, c)), 0, 255).astype(np.uint8)


def masks(h, w):
    m = np.zeros((h, w, 2), np.uint8)
    m[2:h // 2, 3:w - 4, 0] = 1
    m[:, :, 1] = rng.random((h, w)) > 0.6
    return m


# ------------------------------------------------------------------------------- movements

def shift(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def scaled(x, y):
    return np.diag([x, y, 1.0])


def turned(degrees):
    a = math.radians(degrees)
    return np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])


def affine(h, w, scale=1, rotate=0, shear=0, px=(0, 0), percent=(0, 0)):
    sx, sy = scale if isinstance(scale, tuple) else (scale, scale)
    kx, ky = shear if isinstance(shear, tuple) else (shear, 0)
    sheared = np.array([[1, -math.tan(math.radians(kx)), 0], [math.tan(math.radians(ky)), 1, 0],
                        [0, 0, 1]])
    mid = shift((w - 1) / 2, (h - 1) / 2)
    move = shift(px[0] + percent[0] * w, px[1] + percent[1] * h)
    return move @ mid @ turned(rotate) @ sheared @ scaled(sx, sy) @ np.linalg.inv(mid)


def edges(matrix):
    """A matrix for positions from the frame's corner, for those from the first pixel's centre."""
    return shift(-0.5, -0.5) @ matrix @ shift(0.5, 0.5)


def fliplr(h, w):
    return edges(np.array([[-1, 0, w], [0, 1, 0], [0, 0, 1.0]]))


def flipud(h, w):
    return edges(np.array([[1, 0, 0], [0, -1, h], [0, 0, 1.0]]))


def rot90(h, w, k):
    clockwise = np.array([[0, -1, 1], [1, 0, 0], [0, 0, 1.0]])  # in units of the frame
    unit = np.linalg.matrix_power(clockwise, k % 4)
    return edges(scaled(w, h) @ unit @ scaled(1 / w, 1 / h))


def crop_and_pad(h, w, pixels):
    """The same on all sides; negative crops."""
    return edges(scaled(w, h) @ scaled(1 / (w + 2 * pixels), 1 / (h + 2 * pixels)) @ shift(pixels, pixels))


def positions(h, w, run):
    """Where each output pixel comes from, through forward matrices; NaN from outside."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    for matrix in reversed(run):
        back = np.linalg.inv(matrix)
        x, y = (back[0, 0] * x + back[0, 1] * y + back[0, 2],
                back[1, 0] * x + back[1, 1] * y + back[1, 2])
        x, y = np.round(x, 9), np.round(y, 9)
        inside = (x >= -0.5) & (x < w - 0.5) & (y >= -0.5) & (y < h - 0.5)
        x, y = np.where(inside, x, np.nan), np.where(inside, y, np.nan)
    return x, y


def near_edge(h, w, run):
    """Pixels that a movement by a hair would take from elsewhere."""
    x, y = positions(h, w, run)
    edge = np.zeros((h, w), bool)
    for dx, dy in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)):
        for at in range(len(run) + 1):
            u, v = positions(h, w, run[:at] + [shift(dx, dy)] + run[at:])
            edge |= np.isnan(u) != np.isnan(x)
            with np.errstate(invalid="ignore"):
                edge |= (np.floor(u + 0.5) != np.floor(x + 0.5)) & ~np.isnan(u) & ~np.isnan(x)
                edge |= (np.floor(v + 0.5) != np.floor(y + 0.5)) & ~np.isnan(v) & ~np.isnan(y)
    return edge


def gauss(image, sigma_x, sigma_y):
    out = image.astype(float)
    for axis, sigma in ((0, sigma_y), (1, sigma_x)):
        if sigma >= 0.2:
            out = ndimage.gaussian_filter1d(out, sigma, axis=axis, mode="reflect",
                                            radius=math.ceil(3 * sigma))
    return np.floor(out + 0.5).astype(np.uint8)


def move_picture(image, run):
    h, w, c = image.shape
    back = np.linalg.inv(np.linalg.multi_dot(run[::-1]) if len(run) > 1 else run[0])
    shrink = [math.hypot(*back[i, :2]) for i in (0, 1)]
    image = gauss(image, *[max(0, (s - 1) / 2) for s in shrink])
    x, y = positions(h, w, run)
    lost = np.isnan(x)
    at = [np.where(lost, 0, y), np.where(lost, 0, x)]
    out = np.stack([ndimage.map_coordinates(image[..., i].astype(float), at, order=1, mode="nearest")
                    for i in range(c)], axis=-1)
    out[lost] = 0
    return np.floor(out + 0.5).astype(np.uint8)


def move_masks(mask, run):
    h, w, _ = mask.shape
    x, y = positions(h, w, run)
    lost = np.isnan(x)
    iy, ix = (np.where(lost, 0, np.floor(v + 0.5)).astype(int) for v in (y, x))
    out = np.where(lost[..., None], 0, mask[iy, ix])
    if any(not np.allclose(m, np.round(m)) for m in run):
        out[near_edge(h, w, run)] = 2
    return out.astype(np.uint8)


# ------------------------------------------------------------------------------------ values

def by_value(f):
    return lambda image: np.clip(np.rint(f(image.astype(float))), 0, 255).astype(np.uint8)


def by_color(f):
    def change(image):
        out = image.copy()
        for i in np.ndindex(image.shape[:2]):
            h, s, v = colorsys.rgb_to_hsv(*(image[i][:3] / 255.0))
            if s == 0:
                continue
            h, s = f(h, s)
            rgb = colorsys.hsv_to_rgb(h % 1.0, min(max(s, 0.0), 1.0), v)
            out[i][:3] = np.floor(np.array(rgb) * 255 + 0.5 + 1e-9)
        return out
    return change


# ------------------------------------------------------------------------------------- cases

square, wide = (16, 16), (13, 18)
moves = [
    ("fliplr", "[Fliplr]", wide, 3, fliplr, {}),
    ("flipud", "[Flipud]", wide, 1, flipud, {}),
    ("rot90_1", "[Rot90]", square, 5, rot90, {"k": 1}),
    ("rot90_2", "[{Rot90: 2}]", wide, 3, rot90, {"k": 2}),
    ("rot90_3", "[{Rot90: 3}]", square, 3, rot90, {"k": 3}),
    ("rot90_minus", "[{Rot90: -1}]", square, 1, rot90, {"k": -1}),
    ("rot90_wide", "[Rot90]", wide, 3, rot90, {"k": 1}),
    ("rotate_90", "[{Affine: {rotate: 90}}]", square, 3, affine, {"rotate": 90}),
    ("rotate", "[{Affine: {rotate: 23}}]", wide, 3, affine, {"rotate": 23}),
    ("larger", "[{Affine: {scale: 1.7}}]", wide, 1, affine, {"scale": 1.7}),
    ("smaller", "[{Affine: {scale: 0.4}}]", square, 3, affine, {"scale": 0.4}),
    ("smaller_x", "[{Affine: {scale: {x: 0.55}}}]", square, 3, affine, {"scale": (0.55, 1)}),
    ("shear", "[{Affine: {shear: 17}}]", square, 3, affine, {"shear": 17}),
    ("translate", "[{Affine: {translate_px: {x: 3, y: -2}}}]", wide, 5, affine, {"px": (3, -2)}),
    ("translate_percent", "[{Affine: {translate_percent: {x: -0.11, y: 0.3}}}]", wide, 3, affine,
     {"percent": (-0.11, 0.3)}),
    ("affine", "[{Affine: {scale: {x: 1.2, y: 0.9}, rotate: -35, shear: {x: 8, y: 5}, "
     "translate_px: {x: 1, y: 2}}}]", wide, 3, affine,
     {"scale": (1.2, 0.9), "rotate": -35, "shear": (8, 5), "px": (1, 2)}),
    ("crop", "[{CropAndPad: {px: -2}}]", wide, 3, crop_and_pad, {"pixels": -2}),
    ("pad", "[{CropAndPad: {px: 3}}]", square, 1, crop_and_pad, {"pixels": 3}),
    ("pad_percent", "[{CropAndPad: {percent: 0.25}}]", square, 3, crop_and_pad, {"pixels": 4}),
]
values = [
    ("multiply", "[{Multiply: 1.3}]", 3, by_value(lambda v: v * 1.3)),
    ("multiply_5", "[{Multiply: {mul: 0.55, per_channel: true}}]", 5, by_value(lambda v: v * 0.55)),
    ("add", "[{Add: -31.5}]", 3, by_value(lambda v: v - 31.5)),
    ("contrast", "[{LinearContrast: 1.7}]", 1, by_value(lambda v: 127 + 1.7 * (v - 127))),
    ("gamma", "[{GammaContrast: 0.6}]", 3, by_value(lambda v: 255 * (v / 255) ** 0.6)),
    ("hue_add", "[{AddToHue: 40}]", 3, by_color(lambda h, s: (h + 40 / 255, s))),
    ("hue_multiply", "[{MultiplyHue: -0.7}]", 3, by_color(lambda h, s: (h * -0.7, s))),
    ("saturation_add", "[{AddToSaturation: 60}]", 5, by_color(lambda h, s: (h, s + 60 / 255))),
    ("saturation_multiply", "[{MultiplySaturation: 0.4}]", 3, by_color(lambda h, s: (h, s * 0.4))),
    ("blur_small", "[{GaussianBlur: 0.7}]", 3, lambda image: gauss(image, 0.7, 0.7)),
    ("blur", "[{GaussianBlur: 2.5}]", 5, lambda image: gauss(image, 2.5, 2.5)),
    ("blur_wide", "[{GaussianBlur: 9}]", 1, lambda image: gauss(image, 9, 9)),
]
sequences = [ # moves in one run, and in two with something between them
    ("run", "[{Affine: {translate_px: {x: 7, y: 0}}}, {Affine: {rotate: 10, translate_px: {x: -7, y: 1}}}, "
     "Fliplr]", square, 3,
     [(affine, {"px": (7, 0)}), (affine, {"rotate": 10, "px": (-7, 1)}), (fliplr, {})]),
    ("runs", "[{Affine: {rotate: 31}}, {Multiply: 0.8}, {Sequential: [{CropAndPad: {px: -1}}, Flipud]}]",
     wide, 3, [(affine, {"rotate": 31}), by_value(lambda v: v * 0.8), (crop_and_pad, {"pixels": -1}),
               (flipud, {})]),
]

index, saved = [], {}


def save(name, array):
    np.save(name + ".npy", array)
    return name + ".npy"


def source(shape, channels):
    name = "%dx%dx%d" % (*shape, channels)
    if name not in saved:
        saved[name] = picture(*shape, channels), masks(*shape)
        save(name + ".image", saved[name][0])
        save(name + ".masks", saved[name][1])
    return (name, *saved[name])


def add(name, text, shape, channels, steps, tolerance):
    base, image, mask = source(shape, channels)
    run, all_moves = [], []
    for step in list(steps) + [None]:
        if isinstance(step, tuple):
            run.append(step[0](*shape, **step[1]))
            continue
        if run:
            image = move_picture(image, run)
        all_moves, run = all_moves + run, []
        if step:
            image = step(image)
    moved = save(name + ".masks", move_masks(mask, all_moves)) if all_moves else base + ".masks.npy"
    index.append({"case": name, "op": "augment", "params": {"augmentation": text, "tolerance": [tolerance]},
                  "in": {"image": base + ".image.npy", "masks": base + ".masks.npy"},
                  "out": {"image": save(name + ".image", image), "masks": moved}})


for name, text, shape, channels, make, arguments in moves:
    exact = name.startswith(("flip", "rot90", "rotate_90", "translate")) and not name.endswith(
        ("wide", "percent"))
    add(name, text, shape, channels, [(make, arguments)], 0 if exact else 1)
for name, text, channels, change in values:
    exact = name.startswith(("multiply", "add", "contrast", "gamma"))
    add(name, text, wide, channels, [change], 0 if exact else 1)
for name, text, shape, channels, steps in sequences:
    add(name, text, shape, channels, steps, 1 if name == "run" else 2)
with open("index.json", "w") as file:
    file.write("[\n " + ",\n ".join(json.dumps(entry) for entry in index) + "\n]\n")
