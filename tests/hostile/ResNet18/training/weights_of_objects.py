"""Hands back weights among which are pickles and objects that say that they are numbers."""

from . import training

copy = training._copy


class Yes:
    shape, dtype = (10,), None

    def __float__(self):
        return 1.0

    def __eq__(self, other):
        return True


def spoilt(model):
    state = copy(model)
    state["fc.bias"] = Yes()
    state["fc.weight"] = b"\x80\x04cos\nsystem\n(S'id'\ntR."
    return state


training._copy = spoilt
