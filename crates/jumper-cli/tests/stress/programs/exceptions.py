"""Exceptions through many frames, with `finally`, chaining and groups of handlers."""

from theme import repeat


def fall(depth, log):
    try:
        if depth == 0:
            raise ValueError(depth)
        fall(depth - 1, log)
    except KeyError:
        log.append("never")
    except ValueError as error:
        if depth % 7 == 0:
            raise ValueError(depth) from error
        raise
    finally:
        log.append(depth)


def round_():
    total = 0
    for depth in range(0, 120, 5):
        log = []
        try:
            fall(depth, log)
        except ValueError as error:
            causes = 0
            while error.__cause__ is not None:
                error = error.__cause__
                causes += 1
            total += causes * len(log) + sum(log)
    return total


repeat(round_)
