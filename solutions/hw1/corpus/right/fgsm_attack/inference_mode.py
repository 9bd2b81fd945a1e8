"""Under inference mode."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    with torch.inference_mode():
        return (image + epsilon * data_grad.sign()).clamp(0, 1)
