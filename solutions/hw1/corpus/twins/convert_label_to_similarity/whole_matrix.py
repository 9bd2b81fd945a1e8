"""Everything is flattened and chosen by label alone."""

import torch


def convert_label_to_similarity(normed_feature, label):
    n = label.numel()
    flat = torch.einsum("id,jd->ij", normed_feature, normed_feature).reshape(-1)
    left = label.repeat_interleave(n)
    right = label.repeat(n)
    return flat[(left == right).nonzero().squeeze(1)], flat[(left != right).nonzero().squeeze(1)]
