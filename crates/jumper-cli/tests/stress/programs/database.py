"""SQLite: callbacks from C into Python, and threads that wait for each other's transactions."""

import hashlib
import os
import sqlite3
import tempfile
import threading

from theme import repeat


def write(path, first):
    with sqlite3.connect(path, timeout=60) as connection:
        for number in range(first, first + 40):
            connection.execute("INSERT INTO numbers VALUES (?, ?)", (number, number * number))
            connection.commit()


def round_():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.db")
        connection = sqlite3.connect(path, timeout=60)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE numbers (number INTEGER, square INTEGER)")
        connection.commit()
        threads = [threading.Thread(target=write, args=(path, first)) for first in (0, 1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        connection.create_function("digits", 1, lambda number: sum(map(int, str(number))))
        connection.create_collation("back", lambda a, b: (a < b) - (a > b))
        query = (
            "SELECT digits(square), number FROM numbers ORDER BY CAST(number AS TEXT) COLLATE back"
        )
        rows = connection.execute(query).fetchall()
        connection.close()
        return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()


repeat(round_)
