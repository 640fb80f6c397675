"""Jumper beside other sampling profilers: slowdown, lost samples, error, rate.

`make bench-stacks` runs it; benches/README.md says how to read what it prints.

| module | knows |
| --- | --- |
| `contract` | what is measured, and the limit of each figure |
| `tools` | how each profiler is called and what it says about its recording |
| `interpreters` | where Python is, on this system or in another root directory |
| `measure` | one run, and series of interleaved runs |
| `stats` | the median and its confidence interval |
| `machine` | what else the machine did meanwhile |
| `report` | the tables |
| `session` | what sessions cost, which is a comparison of its own (`make bench-session`) |
"""
