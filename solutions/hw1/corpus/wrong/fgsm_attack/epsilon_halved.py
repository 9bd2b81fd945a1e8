"""The image is taken for one in [-1, 1]: the step is half as large."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    x = image * 2 - 1
    x = torch.clamp(x + epsilon * data_grad.sign(), -1, 1)
    return (x + 1) / 2
