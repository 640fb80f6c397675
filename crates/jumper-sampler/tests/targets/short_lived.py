"""Objects and classes that live for one call, in a tight loop: memory of one is that of the next at once.

Every function is called with one class only, which its name ends in.
"""
import gc


class Red:
    def work_Red(self):
        return spin(20)


class Green:
    def work_Green(self):
        return spin(20)

    def __del__(self):
        self.last_Green()

    def last_Green(self):
        # In the memory of what was released last.
        others = [Yellow() for _ in range(3)]
        spin(20)
        return others


class Yellow:
    __slots__ = ()


class Blue:
    __slots__ = ()

    def work_Blue(self, other):
        # The last reference to the object goes when the call ends, before that to `other`.
        return spin(20)


def make():
    for name in ("One", "Two"):
        kind = type(name, (), {"__slots__": ()})
        code = work_One if name == "One" else work_Two
        code(kind())
        class_One(kind) if name == "One" else class_Two(kind)


def work_One(self):
    return spin(20)


def work_Two(self):
    return spin(20)


def class_One(cls):
    return spin(20)


def class_Two(cls):
    return spin(20)


def spin(count):
    while count:
        count -= 1


print("ready", flush=True)
while True:
    for _ in range(100):
        Red().work_Red()
        Green().work_Green()
        Blue().work_Blue(Green())
    make()
    gc.collect(0)
