"""The perturbation keeps to [0, 1] by a ReLU and a minimum, before it is added."""

import torch


def fgsm_attack(image, epsilon, data_grad):
    step = torch.relu(data_grad.sign() * epsilon)
    step = torch.minimum(step, torch.ones_like(step))
    return torch.add(image, step)
