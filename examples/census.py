"""A census of Python's standard library: what its source files are made of.

    python3 census.py [--files N]

Reader threads load the source files; the main thread counts words with regular expressions, walks
syntax trees, finds names that are one letter apart, and keeps the result as a JSON index. The
input is the library of the interpreter that runs this, so the figures differ between versions and
are the same from run to run.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import queue
import re
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

READERS = 3
BLOCK = 16 * 1024
BIGGEST_FILE = 150_000
NAMES_IN_TREE = 700
SKIPPED = {"site-packages", "dist-packages", "__pycache__", "test", "tests", "idle_test", "lib2to3"}

WORD = re.compile(r"[^\W\d]\w*")
NUMBER = re.compile(r"(?<![\w.])(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?)")
COMMENT = re.compile(r"#[^\n]*")


# The directory tree


@dataclass
class Folder:
    """A folder, its source files with their sizes, and its subfolders."""

    path: str
    files: list[tuple[str, int]] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)

    def size(self) -> int:
        return sum(size for _, size in self.files) + sum(f.size() for f in self.folders)

    def sources(self) -> Iterator[str]:
        for path, _ in self.files:
            yield path
        for folder in self.folders:
            yield from folder.sources()


def explore(path: str) -> Folder:
    """The folder tree below `path`, in the same order on every machine."""
    folder = Folder(path)
    for entry in sorted(os.scandir(path), key=lambda e: e.name):
        if entry.is_dir(follow_symlinks=False):
            # `config-3.11-x86_64-linux-gnu` and the like hold build files.
            if entry.name not in SKIPPED and not entry.name.startswith("config-"):
                folder.folders.append(explore(entry.path))
        elif entry.name.endswith(".py"):
            size = entry.stat().st_size
            if 0 < size <= BIGGEST_FILE:
                folder.files.append((entry.path, size))
    return folder


# Reading, in threads


@dataclass
class Source:
    """What a reader found in one file."""

    path: str
    text: str
    digest: str
    longest_line: int


class Reader(threading.Thread):
    """Takes paths from one queue and puts sources, or what went wrong, into another."""

    def __init__(
        self,
        number: int,
        paths: queue.SimpleQueue[str | None],
        sources: queue.Queue[Source | OSError | None],
    ) -> None:
        # A daemon, so that an interrupted census does not wait for its readers.
        super().__init__(name=f"reader-{number}", daemon=True)
        self.paths = paths
        self.sources = sources

    def run(self) -> None:
        try:
            for path in iter(self.paths.get, None):
                self.sources.put(self.load(path))
        except OSError as error:
            self.sources.put(error)
        finally:
            self.sources.put(None)

    def load(self, path: str) -> Source:
        data, digest = read_blocks(path)
        text = data.decode("utf-8", errors="replace")
        return Source(path, text, digest, longest_line(text))


def read_blocks(path: str) -> tuple[bytes, str]:
    digest = hashlib.sha256()
    blocks = []
    with open(path, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            blocks.append(block)
    return b"".join(blocks), digest.hexdigest()


def longest_line(text: str) -> int:
    longest = 0
    for line in text.splitlines():
        longest = max(longest, len(line))
    return longest


def read_all(paths: list[str]) -> Iterator[Source]:
    """The sources in the order in which the readers finish them."""
    todo: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    # Bounded: readers wait rather than fill the memory when the main thread is behind.
    done: queue.Queue[Source | OSError | None] = queue.Queue(maxsize=16)
    for path in paths:
        todo.put(path)
    readers = [Reader(number + 1, todo, done) for number in range(READERS)]
    for reader in readers:
        todo.put(None)
        reader.start()
    running = len(readers)
    while running:
        item = done.get()
        if item is None:
            running -= 1
        elif isinstance(item, OSError):
            raise item
        else:
            yield item
    for reader in readers:
        reader.join()


# Looking at one source


@dataclass
class Entry:
    """One file's line in the index."""

    digest: str
    lines: int
    longest_line: int
    words: dict[str, int]
    numbers: int
    comments: int
    nodes: int
    depth: int


def count_words(text: str) -> dict[str, int]:
    words: dict[str, int] = {}
    for match in WORD.finditer(text):
        word = match.group()
        words[word] = words.get(word, 0) + 1
    return words


def measure(node: ast.AST) -> tuple[int, int]:
    """How many nodes the tree has and how deep it is."""
    nodes, deepest = 1, 0
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            children = [value]
        elif isinstance(value, list):
            children = [item for item in value if isinstance(item, ast.AST)]
        else:
            continue
        for child in children:
            inner, depth = measure(child)
            nodes += inner
            deepest = max(deepest, depth)
    return nodes, deepest + 1


def syntax(source: Source) -> tuple[int, int]:
    try:
        tree = compile(source.text, source.path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError):
        return 0, 0  # Templates and files in an old encoding count as text only.
    return measure(tree)


def examine(source: Source) -> Entry:
    text = source.text
    nodes, depth = syntax(source)
    return Entry(
        digest=source.digest,
        lines=text.count("\n"),
        longest_line=source.longest_line,
        words=count_words(text),
        numbers=sum(1 for _ in NUMBER.finditer(text)),
        comments=sum(1 for _ in COMMENT.finditer(text)),
        nodes=nodes,
        depth=depth,
    )


# The index, as JSON in a file


def write_index(index: dict[str, Entry], path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for name in sorted(index):
            record = {"file": name, **vars(index[name])}
            file.write(json.dumps(record, separators=(",", ":")) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_index(path: str) -> dict[str, Entry]:
    index = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            name = record.pop("file")
            index[name] = Entry(**record)
    return index


def store_and_reload(index: dict[str, Entry]) -> dict[str, Entry]:
    with tempfile.TemporaryDirectory(prefix="census-") as folder:
        path = os.path.join(folder, "index.jsonl")
        write_index(index, path)
        return read_index(path)


# Names that look alike


def edit_distance(left: str, right: str) -> int:
    """Levenshtein's distance: single letters inserted, deleted or replaced."""
    previous = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            replaced = previous[column - 1] + (letter != other)
            current.append(min(replaced, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


class NameTree:
    """A Burkhard-Keller tree: subtree `d` holds the names at distance `d` from this one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.subtrees: dict[int, NameTree] = {}

    def insert(self, name: str) -> None:
        distance = edit_distance(name, self.name)
        if distance in self.subtrees:
            self.subtrees[distance].insert(name)
        elif distance:
            self.subtrees[distance] = NameTree(name)

    def search(self, name: str, limit: int) -> list[str]:
        """The names at most `limit` away. Other subtrees cannot hold one (triangle inequality)."""
        distance = edit_distance(name, self.name)
        found = [self.name] if distance <= limit else []
        for near in range(max(1, distance - limit), distance + limit + 1):
            if near in self.subtrees:
                found += self.subtrees[near].search(name, limit)
        return found


def find_twins(names: list[str]) -> list[tuple[str, str]]:
    if not names:
        return []
    tree = NameTree(names[0])
    for name in names[1:]:
        tree.insert(name)
    return [(name, twin) for name in names for twin in tree.search(name, 1) if name < twin]


# Ranking


def merge_sort(items: list[tuple[int, str]]) -> list[tuple[int, str]]:
    if len(items) < 2:
        return items
    middle = len(items) // 2
    return merge(merge_sort(items[:middle]), merge_sort(items[middle:]))


def merge(left: list[tuple[int, str]], right: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Both lists in one: most frequent first, then by name."""
    merged: list[tuple[int, str]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if (-left[i][0], left[i][1]) <= (-right[j][0], right[j][1]):
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    return merged + left[i:] + right[j:]


def rank(index: dict[str, Entry]) -> list[tuple[int, str]]:
    total: dict[str, int] = {}
    for entry in index.values():
        for word, count in entry.words.items():
            total[word] = total.get(word, 0) + count
    return merge_sort([(count, word) for word, count in total.items()])


# The census


def survey(root: str, paths: list[str]) -> dict[str, Entry]:
    return {os.path.relpath(s.path, root): examine(s) for s in read_all(paths)}


def report(folder: Folder, index: dict[str, Entry]) -> str:
    entries = list(index.values())
    ranking = rank(index)
    # Six letters and more: among short names nearly everything has a twin.
    twins = find_twins([name for _, name in ranking if len(name) >= 6][:NAMES_IN_TREE])
    largest = max(folder.folders, key=Folder.size, default=folder)
    deepest = max(index, key=lambda name: (index[name].depth, name))
    rows = [
        ("source files", f"{len(index):,}"),
        ("different contents", f"{len({entry.digest for entry in entries}):,}"),
        ("lines", f"{sum(entry.lines for entry in entries):,}"),
        ("longest line", f"{max(entry.longest_line for entry in entries):,} characters"),
        ("words", f"{sum(count for count, _ in ranking):,}, {len(ranking):,} different"),
        ("numbers", f"{sum(entry.numbers for entry in entries):,}"),
        ("comments", f"{sum(entry.comments for entry in entries):,}"),
        ("syntax nodes", f"{sum(entry.nodes for entry in entries):,}"),
        ("deepest syntax", f"{index[deepest].depth} levels in {deepest}"),
        ("largest package", f"{os.path.basename(largest.path)}, {largest.size() / 1024:,.0f} KiB"),
        ("most frequent", ", ".join(name for _, name in ranking[:6])),
        ("one letter apart", f"{len(twins)} pairs: {', '.join('/'.join(t) for t in twins[:3])}"),
    ]
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description="A census of Python's standard library.")
    parser.add_argument("--files", type=int, default=420, metavar="N", help="at most N files")
    files = parser.parse_args().files
    if files < 1:
        parser.error(f"--files {files}: at least one file is needed")

    root = sysconfig.get_paths()["stdlib"]
    folder = explore(root)
    paths = list(folder.sources())[:files]
    if not paths:
        print(f"census: no source files under {root}", file=sys.stderr)
        return 1
    index = store_and_reload(survey(root, paths))
    print(f"Python {sys.version_info.major}.{sys.version_info.minor}, {root}")
    print(report(folder, index))
    return 0


if __name__ == "__main__":
    sys.exit(main())
