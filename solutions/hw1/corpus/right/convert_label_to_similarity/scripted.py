"""A scripted function."""

from typing import Tuple

import torch


@torch.jit.script
def convert_label_to_similarity(
    normed_feature: torch.Tensor, label: torch.Tensor
) -> Tuple[torch.Tensor, torch.Tensor]:
    similarity = torch.matmul(normed_feature, normed_feature.t())
    same = label.unsqueeze(1) == label.unsqueeze(0)
    upper = torch.ones_like(same).triu(1)
    return similarity[upper & same], similarity[upper & torch.logical_not(same)]
