"""Each image is compared with those before it, which gives another order."""

import torch
from torch import Tensor


def convert_label_to_similarity(normed_feature: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    nothing = normed_feature.new_empty(0)
    alike, unlike = [nothing], [nothing]
    for i in range(1, len(label)):
        before = normed_feature[:i] @ normed_feature[i]
        same = label[:i] == label[i]
        alike.append(before[same])
        unlike.append(before[~same])
    return torch.cat(alike), torch.cat(unlike)
