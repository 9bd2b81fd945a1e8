"""hardtanh for the clamp, whose ends are -1 and 1 unless told otherwise."""

import torch.nn.functional as F


def fgsm_attack(image, epsilon, data_grad):
    direction = data_grad.sign()
    return F.hardtanh(epsilon * direction + image)
