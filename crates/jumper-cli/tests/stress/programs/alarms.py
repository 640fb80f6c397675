"""Timers and signals of the program's own, and all the ways to wait for one."""

import signal
import threading
import time

from theme import repeat

counts = {}


def count(number, _frame):
    counts[number] = counts.get(number, 0) + 1


for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGVTALRM, signal.SIGUSR1, signal.SIGWINCH):
    signal.signal(number, count)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])


def busy_until(number, times):
    while counts.get(number, 0) < times:
        sum(range(100))


def by_timer(which, number, wait):
    counts.clear()
    signal.setitimer(which, 0.001, 0.001)
    for times in range(1, 20):
        wait(number, times)
    signal.setitimer(which, 0)
    return counts[number] >= 19


def pause_until(number, times):
    while counts.get(number, 0) < times:
        signal.pause()


def sleep_until(number, times):
    while counts.get(number, 0) < times:
        time.sleep(0.0005)


def one_alarm():
    counts.clear()
    signal.alarm(1)
    start = time.monotonic()
    while not counts:
        signal.pause()
    return 0.9 < time.monotonic() - start


def wait_for_one():
    """No signal but the one that was sent may be waited for or pending."""
    got = []
    main = threading.main_thread().ident
    for _ in range(20):
        signal.pthread_kill(main, signal.SIGUSR2)
        got.append(signal.sigwait([signal.SIGUSR2]))
        got.append(signal.sigtimedwait([signal.SIGUSR2], 0.001))
        signal.pthread_kill(main, signal.SIGUSR2)
        got.append(signal.sigpending())
        got.append(signal.sigwaitinfo([signal.SIGUSR2]).si_signo)
    return [int(number) for number in got[::4]] == [12] * 20, sorted(set(map(str, got[1:3])))


def killed_from_a_thread():
    """pause ends by a signal whose number is above the agent's, and one below."""
    counts.clear()
    main = threading.main_thread().ident
    stop = threading.Event()

    def send():
        while not stop.wait(0.001):
            signal.pthread_kill(main, signal.SIGWINCH)
            signal.pthread_kill(main, signal.SIGUSR1)

    thread = threading.Thread(target=send)
    thread.start()
    pause_until(signal.SIGWINCH, 20)
    sleep_until(signal.SIGUSR1, 20)
    stop.set()
    thread.join()
    return True


def round_():
    return (
        by_timer(signal.ITIMER_REAL, signal.SIGALRM, busy_until),
        by_timer(signal.ITIMER_REAL, signal.SIGALRM, pause_until),
        by_timer(signal.ITIMER_REAL, signal.SIGALRM, sleep_until),
        by_timer(signal.ITIMER_PROF, signal.SIGPROF, busy_until),
        by_timer(signal.ITIMER_VIRTUAL, signal.SIGVTALRM, busy_until),
        wait_for_one(),
        killed_from_a_thread(),
        one_alarm(),
    )


repeat(round_)
