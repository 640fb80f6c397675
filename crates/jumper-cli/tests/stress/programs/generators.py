"""Generators, coroutines and asynchronous generators: their frames lie outside of the stack."""

import asyncio

from theme import repeat


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def echo():
    got = None
    while True:
        got = yield got
        if got == 7:
            got = "seven"


async def numbers(count):
    for number in range(count):
        if number % 5 == 0:
            await asyncio.sleep(0)
        yield number


async def add(count):
    return sum([number async for number in numbers(count)])


async def main():
    return await asyncio.gather(*(add(count) for count in range(30)))


def round_():
    talk = echo()
    next(talk)
    told = [talk.send(number) for number in range(10)]
    closing = tree(20)
    first = [next(closing) for _ in range(50)]
    closing.close()
    return sum(tree(11)), sum(first), told, sum(asyncio.run(main()))


repeat(round_)
