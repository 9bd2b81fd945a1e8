"""Boolean masks over the flattened matrix."""

import torch
from torch import Tensor


def convert_label_to_similarity(normed_feature: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    n = normed_feature.size(0)
    cosine = torch.matmul(normed_feature, normed_feature.t()).flatten()
    upper = torch.ones(n, n, dtype=torch.bool, device=label.device).triu(diagonal=1).flatten()
    equal = label.repeat_interleave(n) == label.repeat(n)
    return cosine[upper & equal], cosine[upper & ~equal]
