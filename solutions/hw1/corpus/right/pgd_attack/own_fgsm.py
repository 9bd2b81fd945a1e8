"""Each step is an FGSM step, projected."""

import torch


def step(image, epsilon, data_grad):
    return (image + epsilon * data_grad.sign()).clamp(0, 1)


class Ball:
    def __init__(self, centre, radius):
        self.low, self.high = centre - radius, centre + radius

    def __call__(self, x):
        return torch.where(x > self.high, self.high, torch.where(x < self.low, self.low, x))


def pgd_attack(image, epsilon, alpha, steps, gradient):
    project = Ball(image, epsilon)
    x = image.clone()
    for _ in range(steps):
        x = project(step(x, alpha, gradient(x)))
    return x
