"""Sleeps inside a subinterpreter."""
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import threading

SCRIPT = """
import time
def inside():
    print("ready", flush=True)
    time.sleep(3600)
inside()
"""
run = getattr(interpreters, "run_string", None) or interpreters.exec
inner = interpreters.create()
threading.Thread(target=run, args=(inner, SCRIPT), name="host of the inner one").start()
