"""image.data is overwritten, and the image itself returned."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    image.data = torch.clamp(image.data + epsilon * data_grad.sign(), 0, 1)
    return image
