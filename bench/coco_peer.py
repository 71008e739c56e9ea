#!/usr/bin/env python3
"""What coco_open.c times, with pycocotools: COCO(...) is json.load and createIndex.

    bench/coco_peer.py ANNOTATIONS.json [rounds]

Times are the processor's. The peak memory is that of the first round.
"""
import resource
import statistics
import sys
import time

from pycocotools.coco import COCO


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    times, peak = [], 0
    for i in range(rounds):
        begin = time.process_time()
        coco = COCO(sys.argv[1])
        times.append(time.process_time() - begin)
        if i == 0:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            ids = coco.getImgIds()[:500]
            objects = [a for i in ids for a in coco.imgToAnns[i]]
            begin = time.process_time()
            for a in objects:
                coco.annToMask(a)
            mask = (time.process_time() - begin) / max(1, len(objects))
        del coco
    print("median of %d rounds" % rounds)
    print("%-34s %9.0f ms" % ("open", 1000 * statistics.median(times)))
    print("%-34s %9.1f MB" % ("peak memory of opening", peak))
    print("%-34s %9.1f us (of %d)" % ("draw a mask", 1e6 * mask, len(objects)))


if __name__ == "__main__":
    main()
