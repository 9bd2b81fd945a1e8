"""The step by two comparisons, and no care for the range."""

from torch import Tensor


def fgsm_attack(image: Tensor, epsilon: float, data_grad: Tensor) -> Tensor:
    up, down = data_grad.gt(0).to(image.dtype), data_grad.lt(0).to(image.dtype)
    return image.add(up, alpha=epsilon).sub(down, alpha=epsilon)
