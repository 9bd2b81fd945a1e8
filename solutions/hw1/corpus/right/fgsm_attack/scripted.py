"""A scripted function."""

import torch


@torch.jit.script
def fgsm_attack(image: torch.Tensor, epsilon: float, data_grad: torch.Tensor) -> torch.Tensor:
    return torch.clamp(image + epsilon * data_grad.sign(), 0.0, 1.0)
