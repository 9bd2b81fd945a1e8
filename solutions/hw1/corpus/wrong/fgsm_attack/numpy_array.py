"""A numpy array is returned."""

import numpy as np


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image.numpy() + epsilon * np.sign(data_grad.numpy())
    return np.clip(perturbed, 0, 1)
