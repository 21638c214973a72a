"""The first lines of a child process, run by its path: makes `edgeinfer` importable under any interpreter, says hello.

It imports nothing of edgeinfer itself, and leaves the interpreter's own search path as it is: a child under another
Python must find that one's numpy and runtime, never ours. Started by engine/process.py; not for people.

Arguments: the folder of the package, then those of engine/child.py: PARENT CONTROL_FD PAGE_FD.
"""

import socket
import sys


def package(folder: str) -> None:
    """`edgeinfer` from `folder`, whatever else this interpreter has of that name."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("edgeinfer", f"{folder}/__init__.py", submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is no package")
    sys.modules["edgeinfer"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[3]))
    version = sys.version.split()[0]
    try:
        del sys.path[0]  # the folder of this file: its modules have names that others have as well
        package(sys.argv[1])
        from edgeinfer.engine import child
    except Exception as error:
        control.send(f"no:Python {version}: {type(error).__name__}: {error}".encode())
        sys.exit(3)
    control.send(f"ok:{version}".encode())
    child.main(int(sys.argv[2]), control, int(sys.argv[4]))


if __name__ == "__main__":
    main()
