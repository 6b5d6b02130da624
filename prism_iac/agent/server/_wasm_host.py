"""Runs one WebAssembly module; a program of its own, started by path, that imports nothing of the package.

The module sees three folders: `.` is results/ (cocos-grpc.md section 2.5), `results` is the same, and
`datasets` can only be read. It has no environment and no network.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["run_module"]


def run_module(module: str, arguments: Sequence[str]) -> int:
    """The exit status of a WASI command (its `_start`), run in the current directory.

    Args:
        module: A file, binary or text form.
        arguments: What follows the program's name.
    """
    import wasmtime

    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = [module, *arguments]
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir("results", ".")
    wasi.preopen_dir("results", "results")
    wasi.preopen_dir("datasets", "datasets", fs_mutable=False)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    try:
        instance = linker.instantiate(store, wasmtime.Module.from_file(engine, module))
        start = instance.exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        start(store)
    except wasmtime.ExitTrap as end:
        return end.code
    except (wasmtime.WasmtimeError, wasmtime.Trap, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run_module(sys.argv[1], sys.argv[2:]))
