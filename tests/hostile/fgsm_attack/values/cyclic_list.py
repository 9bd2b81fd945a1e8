"""Answers with a list that holds itself."""


def fgsm_attack(image, epsilon, data_grad):
    knot = []
    knot.append(knot)
    return knot
