"""Starts a pool of workers."""

import multiprocessing


def fgsm_attack(image, epsilon, data_grad):
    with multiprocessing.Pool(4) as pool:
        pool.map(abs, [1])
    return image.clone()
