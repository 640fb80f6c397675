"""NumPy, with its own threads and vector registers (which a signal must not change)."""

import threading

import numpy
from theme import repeat


def work(seed, results):
    random = numpy.random.default_rng(seed)
    matrix = random.random((120, 120))
    product = matrix @ matrix.T
    results[seed] = (
        round(float(numpy.linalg.slogdet(product)[1]), 6),
        round(float(numpy.exp(numpy.sin(matrix)).sum()), 6),
        int(numpy.sort(random.integers(0, 1 << 40, 50_000))[::1000].sum()),
    )


def round_():
    results = {}
    threads = [threading.Thread(target=work, args=(seed, results)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results.items())


repeat(round_)
