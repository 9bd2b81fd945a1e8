"""Images are gathered in a dictionary by class, and the positives read off it."""

from collections import defaultdict
from itertools import combinations


def convert_label_to_similarity(normed_feature, label):
    members = defaultdict(list)
    for position, name in enumerate(label.tolist()):
        members[name].append(position)
    inside = [pair for name in sorted(members) for pair in combinations(members[name], 2)]
    across = [pair for pair in combinations(range(len(label)), 2) if label[pair[0]] != label[pair[1]]]

    def cosines(pairs):
        i = [first for first, _ in pairs]
        j = [second for _, second in pairs]
        return (normed_feature[i] * normed_feature[j]).sum(dim=1)

    return cosines(inside), cosines(across)
