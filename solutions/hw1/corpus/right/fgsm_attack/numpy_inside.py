"""numpy inside, a tensor outside."""

import numpy as np
import torch


def fgsm_attack(image, epsilon, data_grad):
    x = image.detach().cpu().numpy()
    g = data_grad.detach().cpu().numpy()
    adversarial = np.clip(x + epsilon * np.sign(g), 0.0, 1.0).astype(x.dtype)
    return torch.from_numpy(adversarial).to(image.device)
