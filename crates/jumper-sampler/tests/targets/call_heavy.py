"""Calls all the time: any torn stack would show a caller that never calls what is above it."""
import sys


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def numbers(n):
    for i in range(n):
        yield i


class Base:
    def __init__(self, n):
        self.n = n


class Point(Base):
    def __init__(self, n):
        super().__init__(n)
        self.total = sum(numbers(n))


def main():
    print("ready", flush=True)
    while True:
        even(20)
        Point(5)
        exec(compile("temporary = [(lambda: 1)() for _ in range(2)]", "<made-up>", "exec"), {})


sys.setrecursionlimit(1000)
main()
