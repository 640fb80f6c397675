"""Threads that wait in methods of all kinds. Each function's name is followed by the class that its frame must show.

Prints `ready` when every thread is where it stays, then waits to be killed.
"""
import functools
import threading
import time

threads = []


def wait():
    time.sleep(3600)


def thread(function):
    threads.append(threading.Thread(target=function, daemon=True))


class Base:
    def inherited__Derived(self):
        wait()

    @classmethod
    def of_class__Derived(cls):
        wait()

    @staticmethod
    def of_none__(value=1):
        wait()

    def deleted__(self):
        del self
        wait()

    def deleted_from_cell__(self):
        def use():
            return self
        del self
        wait()

    def captured__Derived(self):
        return self.nest__Derived(lambda: self)

    def nest__Derived(self, use):
        def inner__(other):
            wait()
            return self, other
        inner__(1)

    def replaced__int(self):
        self = 5
        wait()

    def generated__Derived(self):
        yield wait()

    def recursive__Derived(self, depth):
        if depth:
            self.recursive__Derived(depth - 1)
        wait()

    @property
    def computed__Derived(self):
        return wait()


class Derived(Base):
    def calls_super__Derived(self):
        super().inherited__Derived()

    def third_cell__Derived(self, one, two):
        def use():
            return one, two, self
        wait()


class Meta(type):
    def method_of_class__Made(cls):
        wait()

    def self_of_class__Meta(self):
        wait()


class Made(metaclass=Meta):
    pass


class Slots:
    __slots__ = ("value",)

    def slotted__Slots(self):
        wait()


class Outer:
    class Inner:
        def nested__Inner(self):
            wait()


class List(list):
    def of_list__List(self):
        wait()


class Ünïcödé:
    def unicode__Ünïcödé(self):
        wait()


def of_int__int(self):
    wait()


def of_none__NoneType(self):
    wait()


def cls_is_no_class__(cls):
    wait()


def second__(other, self):
    wait()


def hides__():
    __tracebackhide__ = True
    wait()


class Hiding:
    def hides__Hiding(self, *rest, key=None):
        first = second = third = None
        __tracebackhide__ = lambda: self
        wait()


def hides_not__(value):
    del value
    global __tracebackhide__
    __tracebackhide__ = True
    wait()


def many_variables_hide__():
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = b9 = 0
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = d8 = d9 = 0
    __tracebackhide__ = True
    wait()


def with_a_dot():
    kind = type("package.Dotted", (Base,), {})
    kind.inherited__Dotted = lambda self: wait()
    kind.inherited__Dotted.__code__ = kind.inherited__Dotted.__code__.replace(co_name="dotted__Dotted")
    kind().inherited__Dotted()


def distinct_objects(depth):
    class Node:
        def visit__Node(self, depth):
            if depth:
                Node().visit__Node(depth - 1)
            else:
                wait()
    Node().visit__Node(depth)


derived = Derived()
thread(derived.inherited__Derived)
thread(derived.of_class__Derived)
thread(derived.of_none__)
thread(derived.deleted__)
thread(derived.deleted_from_cell__)
thread(derived.captured__Derived)
thread(derived.replaced__int)
thread(lambda: list(derived.generated__Derived()))
thread(functools.partial(derived.recursive__Derived, 50))
thread(lambda: derived.computed__Derived)
thread(derived.calls_super__Derived)
thread(functools.partial(derived.third_cell__Derived, 1, 2))
thread(Made.method_of_class__Made)
thread(Made.self_of_class__Meta)
thread(Slots().slotted__Slots)
thread(Outer.Inner().nested__Inner)
thread(List().of_list__List)
thread(Ünïcödé().unicode__Ünïcödé)
thread(functools.partial(of_int__int, 7))
thread(functools.partial(of_none__NoneType, None))
thread(functools.partial(cls_is_no_class__, 7))
thread(functools.partial(second__, 1, 2))
thread(hides__)
thread(Hiding().hides__Hiding)
thread(functools.partial(hides_not__, 1))
thread(many_variables_hide__)
thread(with_a_dot)
thread(functools.partial(distinct_objects, 200))
for each in threads:
    each.start()
time.sleep(0.5)
print("ready", flush=True)
time.sleep(3600)
