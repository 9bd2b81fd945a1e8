"""Raises where it is and where Python, torch and the kit lie, for the report to tell."""

import os
import sys

import torch


def fgsm_attack(image, epsilon, data_grad):
    raise ValueError(os.getcwd(), __file__, sys.prefix, sys.base_prefix, torch.__file__, os.__file__, sys.path)
