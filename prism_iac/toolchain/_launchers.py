"""The programs that a CLI starts to run Python, for CLIs that come without them.

The official bundle has a language host in Go and a shell script under the same names. Ours are scripts of
a few lines; the language host itself is `prism_iac.toolchain._host`.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

__all__ = ["PLUGINS", "launcher_text"]

# The program folder, where the CLI starts it, must not be searched for modules: it may hold any.
_LANGUAGE_HOST: Final = """\
#!/bin/sh
# The Python language host of prism-iac, for a Pulumi CLI that has none.
exec {interpreter} -P -m prism_iac.toolchain._host "$@"
"""

# The options of Pulumi.yaml arrive as variables. Here the program folder is searched for modules: dynamic
# resources may be defined in it.
_DYNAMIC_RESOURCES: Final = """\
#!/bin/sh
# Serves dynamic resources written in Python, for a Pulumi CLI that has no launcher for them.
virtualenv=${{PULUMI_RUNTIME_VIRTUALENV:-}}
if [ -z "$virtualenv" ] && [ "${{PULUMI_RUNTIME_TOOLCHAIN:-}}" = uv ]; then
    virtualenv=.venv
fi
python=${{PULUMI_PYTHON_CMD:-{interpreter}}}
if [ -n "$virtualenv" ]; then
    python=$virtualenv/bin/python
    if [ ! -x "$python" ]; then
        echo "Pulumi.yaml names the virtualenv $virtualenv, which has no bin/python." >&2
        echo "Make it, and install what the program needs into it." >&2
        exit 1
    fi
    PATH=$(cd "$virtualenv/bin" && pwd):$PATH
    export PATH
fi
exec "$python" -u -m pulumi.dynamic "$@"
"""

_TEXTS: Final = {
    "pulumi-language-python": _LANGUAGE_HOST,
    "pulumi-resource-pulumi-python": _DYNAMIC_RESOURCES,
}

PLUGINS: Final = tuple(_TEXTS)
"""What a CLI needs to run Python programs with dynamic resources."""


def launcher_text(plugin: str, interpreter: Path) -> str:
    """The script that stands in for a plugin.

    Args:
        plugin: One of `PLUGINS`.
        interpreter: The Python that has this package.
    """
    return _TEXTS[plugin].format(interpreter=shlex.quote(str(interpreter)))
