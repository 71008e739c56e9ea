#!/usr/bin/env python3
"""Makes a COCO data set of any size by repeating a small one, with ids of its own for every copy.

    bench/coco_scale.py SOURCE.json PICTURES OUT [megabytes]

PICTURES is the folder of SOURCE's pictures; each copy sees it through a link of its own, so that no
picture is stored twice. OUT/annotations/instances_train2017.json has the given size (450 MB).
"""
import json
import os
import sys


def numbered(records, keys, copy):
    """The records with ids that no other copy has."""
    step = 10**7  # larger than the ids of COCO's pictures
    for record in records:
        record = dict(record)
        for key in keys:
            record[key] += copy * step if record[key] < step else copy * 10**13
        yield record


def write_list(out, name, copies, records, change):
    out.write('"%s": [' % name)
    for copy in range(copies):
        for i, record in enumerate(change(records, copy)):
            out.write((", " if copy or i else "") + json.dumps(record, separators=(",", ": ")))
    out.write("]")


def pictures_of(records, copy):
    for record in numbered(records, ["id"], copy):
        record["file_name"] = "%04d/%s" % (copy, record["file_name"])
        yield record


def objects_of(records, copy):
    return numbered(records, ["id", "image_id"], copy)


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    source, pictures, out = sys.argv[1:4]
    megabytes = float(sys.argv[4]) if len(sys.argv) == 5 else 450
    copies = max(1, round(megabytes * 1e6 / os.path.getsize(source)))
    with open(source, encoding="utf-8") as file:
        data = json.load(file)
    os.makedirs(out + "/annotations", exist_ok=True)
    os.makedirs(out + "/train2017", exist_ok=True)
    for copy in range(copies):
        link = "%s/train2017/%04d" % (out, copy)
        if not os.path.islink(link):
            os.symlink(os.path.abspath(pictures), link)
    with open(out + "/annotations/instances_train2017.json", "w", encoding="utf-8") as file:
        file.write('{"info": {}, "licenses": [], ')
        write_list(file, "images", copies, data["images"], pictures_of)
        file.write(", ")
        write_list(file, "annotations", copies, data["annotations"], objects_of)
        file.write(', "categories": %s}\n' % json.dumps(data["categories"]))


if __name__ == "__main__":
    main()
