"""Long calls into C, with and without the interpreter's lock."""

import hashlib
import re
import threading
import zlib

from theme import repeat

TEXT = b"".join(str(number * number).encode() for number in range(30_000))


def work(results):
    key = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 60_000)
    results.append((key.hex(), zlib.crc32(zlib.compress(TEXT, 9))))


def round_():
    results = []
    threads = [threading.Thread(target=work, args=(results,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    numbers = sorted((number * 7919) % 100_003 for number in range(100_003))
    backtracking = re.match(r"(a+)+$", "a" * 18 + "b")
    power = pow(3, 20_000, (1 << 4000) - 1) % 1_000_007
    for thread in threads:
        thread.join()
    return sorted(set(results)), numbers[::20_000], backtracking, power


repeat(round_)
