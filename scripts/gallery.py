"""The gallery: what each report looks like, made by running the commands that it shows.

    python3 gallery.py JUMPER WORK DOCS

Another report is another entry of `ENTRIES`. Pictures go to DOCS/gallery, the page is DOCS/gallery.md.
"""

import csv
import html
import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """What is shown: a command (`jumper` stands first), and how its output is shown."""

    title: str
    line: str
    # "terminal", "page", "picture" or "text", of which the last has so many lines.
    kind: str
    lines: int = 30
    # Of a page: name of the picture, width, height, dark.
    shots: list = field(default_factory=list)


ENTRIES = [
    Entry("Text", "jumper render census.jumper --color", "terminal"),
    Entry(
        "HTML",
        "jumper render census.jumper -o census.html",
        "page",
        shots=[("html-light", 1200, 860, False), ("html-dark-narrow", 420, 860, True)],
    ),
    Entry(
        "Flame graph",
        "jumper render census.jumper -o census.svg",
        "page",
        shots=[("flamegraph", 1200, 430, False)],
    ),
    Entry(
        "Flame graph, hanging, dark",
        "jumper render census.jumper -r flamegraph -p icicle -p theme=dark -p by=nothing -o icicle.svg",
        "page",
        shots=[("flamegraph-icicle-dark", 1200, 430, False)],
    ),
    Entry(
        "Plot", "jumper plot census.jumper -o plot.png --level process --level system", "picture"
    ),
    Entry(
        "Plot of a notebook",
        "jumper plot notebook -o notebook.png --metrics cpu_summary,memory,gpu_util_summary,gpu_mem_summary",
        "picture",
    ),
    Entry(
        "The same cells without the time between them, in the dark",
        "jumper plot notebook -o notebook-dark.png --metrics cpu_all,memory,io --cell 2:6 --idle compressed --theme dark "
        "-p width=700",
        "picture",
    ),
    Entry(
        "Plot for a narrow page",
        "jumper plot notebook -o notebook-narrow.png --metrics cpu_summary,memory -p width=400",
        "picture",
    ),
    Entry("Performance report", "jumper render notebook -r perfreport", "terminal"),
    Entry(
        "Performance report as a page",
        "jumper render notebook -r perfreport-html -o perfreport.html",
        "page",
        shots=[("perfreport", 900, 600, False)],
    ),
    Entry("Markdown", "jumper render census.jumper -r markdown", "text", 40),
    Entry("Summary for scripts and agents", "jumper render census.jumper -r summary", "text", 40),
    Entry("JSON", "jumper render census.jumper -r json", "text", 3),
    Entry("Collapsed stacks", "jumper render census.jumper -r collapsed", "text", 5),
]


def run(jumper: str, line: str, work: Path) -> bytes:
    """What a command says on stdout."""
    words = line.split()
    done = subprocess.run(
        [jumper, *words[1:]],
        cwd=work,
        stdout=subprocess.PIPE,
        check=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "110", "HOME": str(work)},
    )
    return done.stdout


CELL_COLUMNS = [
    "cell_index",
    "raw_cell",
    "start_time",
    "end_time",
    "duration",
    "wallclock_start_time",
    "wallclock_end_time",
    "cell_magics",
]
# When the made-up notebook ran.
WALL = 1.7e9


def write_notebook(path: Path) -> None:
    """A made-up notebook of a minute and a half, as JUmPER exports one: loading, training with a GPU, a failure, and evaluation."""
    cells = [(2, 9), (12, 15), (21, 27), (30, 52), (58, 59.5), (66, 71), (74, 88)]
    path.mkdir(exist_ok=True)
    manifest = {
        "version": "1.0",
        "app": {"name": "JUmPER", "version": "unknown"},
        "monitor": {
            "interval": 0.5,
            "start_time": 0.0,
            "stop_time": 90.0,
            "wallclock_start_time": WALL,
            "wallclock_stop_time": WALL + 90,
            "num_cpus": 4,
            "num_system_cpus": 4,
            "num_gpus": 1,
            "gpu_memory": 16.0,
            "gpu_name": "a GPU",
            "memory_limits": {"process": 8.0},
            "os": "posix",
            "python": "3.12.4",
        },
        "levels": ["process"],
    }
    with open(path / "cell_history.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CELL_COLUMNS)
        for index, (start, end) in enumerate(cells):
            writer.writerow(
                [index, f"step({index})", start, end, end - start, WALL + start, WALL + end, "[]"]
            )
    header = "time,cpu_util_avg,cpu_util_min,cpu_util_max,cpu_util_0,cpu_util_1,cpu_util_2,cpu_util_3,memory,io_read,io_write,io_read_count,io_write_count,"
    header += "gpu_util_avg,gpu_util_min,gpu_util_max,gpu_mem_avg,gpu_mem_min,gpu_mem_max"
    memory, gpu_memory = 0.4, 0.0
    with open(path / "perf_process.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        for step in range(181):
            time = step / 2
            cell = next((i for i, (start, end) in enumerate(cells) if start <= time <= end), None)
            wave = math.sin(time * 1.7) + math.sin(time * 0.6)
            cores = [2.0 + (step * 7 + core * 3) % 4 for core in range(4)]
            gpu, read, write = 0.0, 0.0, 0.0
            if cell in (0, 2):
                cores = [88 + 5 * wave, 20 + 8 * wave, 12 + 4 * wave, 8.0]
                read = 180 + 40 * wave
                memory += 0.09 if cell == 0 else 0.16
            elif cell in (3, 6):
                cores = [70 + 9 * wave, 62 + 11 * wave, 66 + 9 * wave, 58 + 13 * wave]
                gpu = 82 + 8 * wave
                gpu_memory = min(12.5, gpu_memory + 1.8)
                write = 60.0 if step % 16 == 0 else 2.0
            elif cell is not None:
                cores = [95.0, 8.0, 6.0, 4.0]
                memory += 0.12
            if cell == 5:
                memory = max(2.1, memory - 0.9)
            average = sum(cores) / 4
            # Nobody answered for two seconds.
            gpu_values = ["", "", ""] if 44 <= time <= 46 else [gpu] * 3
            writer.writerow(
                [
                    time,
                    average,
                    min(cores),
                    max(cores),
                    *cores,
                    memory,
                    read * 2**20,
                    write * 2**20,
                    read * 4,
                    write * 3,
                ]
                + [*gpu_values, gpu_memory, gpu_memory, gpu_memory]
            )
    (path / "manifest.json").write_text(json.dumps(manifest))


SGR = re.compile(r"\x1b\[([\d;]*)m|\x1b\]8;[^\x1b]*\x1b\\")
COLOURS = {
    "31": "#f0705f", "32": "#86c166", "33": "#e6b450", "34": "#74b7f3", "35": "#d79bd0", "36": "#63c6c0",
    "91": "#f0705f", "92": "#86c166", "93": "#e6b450", "94": "#74b7f3", "90": "#8b96a3",
}  # fmt: skip


def terminal(text: str, line: str) -> str:
    """A page that looks like a terminal in which a command was run."""
    body, at, open_spans = [], 0, 0
    for match in SGR.finditer(text):
        body.append(html.escape(text[at : match.start()]))
        at = match.end()
        codes = (match[1] or "0").split(";") if match[1] is not None else []
        for code in codes:
            style = {
                "1": "font-weight:600;color:#fff",
                "2": "opacity:.6",
                "4": "text-decoration:underline",
            }.get(code)
            style = style or (f"color:{COLOURS[code]}" if code in COLOURS else None)
            if style:
                body.append(f'<span style="{style}">')
                open_spans += 1
            elif code in ("0", "", "22", "39"):
                body.append("</span>" * open_spans)
                open_spans = 0
    body.append(html.escape(text[at:]) + "</span>" * open_spans)
    return (
        '<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#14171b}'
        "pre{margin:0;padding:18px 20px;color:#d6dbe1;font:13px/1.4 'DejaVu Sans Mono',monospace;display:inline-block}"
        f'</style><pre><span style="color:#8b96a3">$ {html.escape(line)}</span>\n{"".join(body)}</pre>'
    )


def anywhere(text: str, work: Path) -> str:
    """A report without what only says on which machine the gallery was made."""
    text = text.replace(str(work), "/home/me")
    text = re.sub(r'("os": )"[^"]*"', r'\1"Linux"', text)
    return re.sub(r'("hosts": \[\s*\{\s*"name": )"[^"]*"', r'\1"node1"', text)


def main() -> None:
    jumper, work, docs = (
        str(Path(sys.argv[1]).resolve()),
        Path(sys.argv[2]).resolve(),
        Path(sys.argv[3]).resolve(),
    )
    gallery, examples = docs / "gallery", docs.parent / "examples"
    (work / "examples").mkdir(exist_ok=True)
    (work / "examples/census.py").write_bytes((examples / "census.py").read_bytes())
    run(jumper, "jumper run --session census.jumper -o census.txt examples/census.py", work)
    write_notebook(work / "notebook")
    page = [
        "# Gallery",
        "",
        "What each report looks like, made by `make gallery` from a recording of `examples/census.py` (`census.jumper`) and from a made-up notebook,",
        "written as JUmPER exports one (`notebook`).",
    ]
    shots = []
    for entry in ENTRIES:
        out = run(jumper, entry.line, work)
        page += ["", f"## {entry.title}", "", "```console", f"$ {entry.line}", "```", ""]
        if entry.kind == "text":
            lines = anywhere(out.decode(), work).splitlines()
            shown = [
                line[:160] + ("[...]" if len(line) > 160 else "") for line in lines[: entry.lines]
            ]
            page += ["````", *shown, *(["[...]"] if len(lines) > entry.lines else []), "````"]
            continue
        if entry.kind == "picture":
            name = next(word for word in entry.line.split() if word.endswith(".png"))
            (gallery / name).write_bytes((work / name).read_bytes())
            page.append(f"![{entry.title}](gallery/{name})")
            continue
        file = next((word for word in entry.line.split() if word.endswith((".html", ".svg"))), None)
        wanted = entry.shots
        if entry.kind == "terminal":
            file = re.sub(r"\W+", "-", entry.title.lower()) + "-terminal.html"
            text = "\n".join(out.decode().rstrip("\n").split("\n")[:60])
            (work / file).write_text(terminal(anywhere(text, work), entry.line))
            wanted = [(file.removesuffix("-terminal.html"), 1000, 200, True)]
        for name, width, height, dark in wanted:
            url = (work / file).as_uri()
            full = entry.kind == "terminal"
            shots.append(
                {
                    "url": url,
                    "out": str(gallery / f"{name}.png"),
                    "width": width,
                    "height": height,
                    "dark": dark,
                    "full": full,
                }
            )
            page.append(f"![{entry.title}](gallery/{name}.png)")
    (work / "shots.json").write_text(json.dumps(shots))
    subprocess.run(["node", "gallery.mjs", "shots.json"], cwd=work, check=True)
    (docs / "gallery.md").write_text("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
