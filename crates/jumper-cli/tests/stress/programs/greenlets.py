"""greenlet: stacks, C and Python, that are copied away and back below the handler's feet."""

import greenlet
from theme import repeat


def deep(depth, work):
    return work() if depth == 0 else deep(depth - 1, work)


def ping(total):
    for _ in range(200):
        total = deep(total % 20, lambda total=total: main.switch(total + 1))
    return total


def round_():
    global main
    main = greenlet.getcurrent()
    others = [greenlet.greenlet(ping) for _ in range(10)]
    totals = [0] * 10
    while not all(other.dead for other in others):
        for number, other in enumerate(others):
            if not other.dead:
                totals[number] = other.switch(totals[number])
    return totals


repeat(round_)
