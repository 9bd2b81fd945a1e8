"""sign as (g > 0) - (g < 0), and hardtanh for the clamp."""

import torch.nn.functional as F


def fgsm_attack(image, epsilon, data_grad):
    sign = (data_grad > 0).to(image.dtype) - (data_grad < 0).to(image.dtype)
    return F.hardtanh(image + epsilon * sign, min_val=0.0, max_val=1.0)
