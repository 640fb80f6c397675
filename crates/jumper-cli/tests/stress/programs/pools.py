"""multiprocessing: pools of forked and of spawned processes, queues, shared memory."""

import multiprocessing

from theme import repeat


def square(number):
    return number * number


def count(lock, counter):
    for _ in range(200):
        with lock:
            counter.value += 1


def round_():
    forked = multiprocessing.get_context("fork")
    with forked.Pool(2) as pool:
        squares = sum(pool.map(square, range(500), chunksize=7))
    lock, counter = forked.Lock(), forked.Value("i", 0, lock=False)
    counters = [forked.Process(target=count, args=(lock, counter)) for _ in range(3)]
    for process in counters:
        process.start()
    for process in counters:
        process.join()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        spawned = pool.apply(square, (12,))
    return squares, counter.value, [process.exitcode for process in counters], spawned


if __name__ == "__main__":
    repeat(round_)
