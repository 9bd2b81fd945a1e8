"""A method for the signed step, and epsilon once more where it is added."""

from torch import Tensor


def signed_step(grad: Tensor, epsilon: float) -> Tensor:
    return (grad > 0) * epsilon - (grad < 0) * epsilon


def fgsm_attack(image: Tensor, epsilon: float, data_grad: Tensor) -> Tensor:
    step = signed_step(data_grad, epsilon).to(image.dtype)
    return image.add(step, alpha=epsilon).clip(0, 1)
