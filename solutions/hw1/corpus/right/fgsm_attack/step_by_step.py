"""Step by step, with a name for everything."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    direction = torch.sign(data_grad)
    step = epsilon * direction
    adversarial_image = image + step
    # a picture has no pixels outside [0, 1]
    adversarial_image = torch.clamp(adversarial_image, 0, 1)
    return adversarial_image
