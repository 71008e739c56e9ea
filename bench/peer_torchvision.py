#!/usr/bin/env python3
"""torchvision's whole Mask R-CNN, with as many proposals and detections as mrcnn bench has (peer_worker.py says how it is asked).

Weights are random: speed doesn't depend on them as long as it keeps all proposals and detections. Its RPN has 256 channels where
mrcnn's (matterport's) has 512: it does less work.
"""
import peer_worker


def keep_all(model):
    """Random residual blocks would double the activations until they overflow; what isn't finite is slow, and nothing is found. And one
    class a proposal stands out, as with trained weights: 1,000 candidates for the last NMS and 100 masks. With random scores it would be
    either none or 80,000 of them."""
    import torch
    for name, buffer in model.backbone.named_buffers():
        if name.endswith("bn3.weight"):
            buffer.fill_(0.2)
    scores = model.roi_heads.box_predictor.cls_score
    torch.nn.init.zeros_(scores.weight)
    torch.nn.init.zeros_(scores.bias)
    scores.bias.data[1] = 8.0


def prepare(o):
    import torch
    import torchvision
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    try:
        body = resnet_fpn_backbone(backbone_name=o.backbone, weights=None)
    except TypeError:
        body = resnet_fpn_backbone(o.backbone, pretrained=False)
    model = MaskRCNN(body, 81, min_size=o.size, max_size=o.size, rpn_post_nms_top_n_test=1000, rpn_pre_nms_top_n_test=6000,
                     rpn_nms_thresh=0.99, box_nms_thresh=1.0, box_detections_per_img=100)
    model.eval()
    keep_all(model)
    if o.channels_last:
        model = model.to(memory_format=torch.channels_last)
    picture = torch.rand(3, o.size, o.size)
    bf16 = o.precision == "bf16"

    def detect():
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            found = len(model([picture])[0]["boxes"])
        if found != 100:
            raise RuntimeError("%d instances instead of 100" % found)

    return "torchvision %s, torch %s" % (torchvision.__version__, torch.__version__), [("whole", detect)]


if __name__ == "__main__":
    peer_worker.serve(prepare, __doc__.split("\n")[0])
