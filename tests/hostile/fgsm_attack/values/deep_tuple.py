"""Answers with ten thousand tuples in each other."""


def fgsm_attack(image, epsilon, data_grad):
    knot = image
    for _ in range(10_000):
        knot = (knot,)
    return knot
