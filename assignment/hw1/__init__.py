"""Homework 1: generalisation from street digits to handwritten digits, and adversarial robustness."""
