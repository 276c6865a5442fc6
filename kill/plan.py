"""Which kill strikes which operation of which round."""

import random

from killers import Kill

OPERATIONS = [
    ("create", "baseline"), ("abandon", "overlay"), ("create", "overlay"), ("update", "baseline"), ("update", "overlay"),
    ("scale", "overlay"), ("stop", "overlay"), ("resume", "overlay"), ("delete", "overlay"), ("delete", "baseline")]
# A baseline alone, when the points of all others have had their turn.
SHORT = [OPERATIONS[0], OPERATIONS[-1]]
# How much longer than measured an operation is expected to be under way, for kills at random moments.
STRETCH = 1.3
# How many of the kills at a point are followed by another one while what was killed recovers.
ENCORES = 0.2


def schedule(points, times, kills, seed):
    """For each round the kill of each operation. With `kills` as `None`, every point of every part is there."""
    chance = random.Random(seed)
    lists = {}
    for operation in OPERATIONS:
        numbered = [
            Kill(role, number)
            for role in ("serve", "supervise", "gateway") for number in range(1, points.get((*operation, role), 0) + 1)]
        chance.shuffle(numbered)
        for kill in numbered:
            if kill.role != "gateway" and chance.random() < ENCORES:
                kill.encore = (kill.role, chance.randint(1, 30))
        lists[operation] = numbered
    rounds = max(len(list) for list in lists.values())
    full = max(len(list) for operation, list in lists.items() if operation not in SHORT)
    if kills is not None:
        rounds = full = min(rounds, -(-kills // len(OPERATIONS)))
    plan = []
    for number in range(rounds):
        chosen = {}
        for operation in OPERATIONS if number < full else SHORT:
            # Where every point had its turn, moments from outside follow; some also in between, where kills are counted.
            if number < len(lists[operation]) and (kills is None or chance.random() < 0.7):
                chosen[operation] = lists[operation][number]
            else:
                chosen[operation] = from_outside(chance, chance.uniform(0, times[operation] * STRETCH))
        plan.append(chosen)
    # A run that is interrupted has seen something of everything.
    chance.shuffle(plan)
    return plan


def from_outside(chance, moment):
    role = chance.choice(["serve", "serve", "supervise", "gateway", "everything", "commit", "commit", "commit"])
    return Kill("serve", after=moment, in_commit=True) if role == "commit" else Kill(role, after=moment)
