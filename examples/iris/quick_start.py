"""The iris example from nothing to a verified result, as `make up` runs it.

Every command is printed before it runs and can be typed by hand after `. .prism/env.sh`. What is done
already is not done again: a second time nothing changes.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path("examples", "iris")
KEYS = HERE / "keys"
RESULT = HERE / "result"
FILES = RESULT / "files"
CERTIFICATES = Path(".prism", "certs")
COMPUTATION = "iris-regression"


def main() -> None:
    do("prism-iac backend up")
    do("prism-iac vms start --all")
    do("pulumi stack select --create dev")
    do("pulumi up --yes --skip-preview")
    run = latest_run()
    if is_fetched(run):
        say(f"Run {run['number']} has completed and its result is here: there is nothing to do.")
    else:
        if is_lost(run):
            say(f"Run {run['number']} has ended without a result that could be fetched; another one begins.")
            do(f"prism-iac computations run {COMPUTATION} --vm {vm()['name']}")
            run = latest_run()
        learn_the_way()
        bring_uploads()
        fetch_result(run)
    show_result()


def bring_uploads() -> None:
    """Let Grace and Ada bring what the run still waits for, and watch it to its end."""
    if vm()["state"] == "ReceivingAlgorithm":
        participant("grace", f"algo {HERE / 'lin_reg.py'} --type python")
    if vm()["state"] == "ReceivingData":
        participant("ada", f"data {HERE / 'iris.csv'}")
    do(f"prism-iac computations logs {COMPUTATION} --follow")


def fetch_result(run: dict[str, Any]) -> None:
    """Let Ada fetch the result, which must have the digest that the agent told Prism, and plot it."""
    shutil.rmtree(RESULT, ignore_errors=True)
    RESULT.mkdir()
    participant("ada", f"result --output {archive_of(run)} --extract {FILES}")
    do(f"python {HERE / 'plot.py'} {HERE / 'iris.csv'} {FILES}")


def show_result() -> None:
    say((FILES / "regression.json").read_text(encoding="utf-8").rstrip())
    backend = ask("prism-iac backend status --json")
    say(
        f"result      {FILES / 'regression.json'}\n"
        f"plot        {FILES / 'regression.png'}\n"
        f"REST API    {backend['rest_url']}/docs\n"
        f"agent       {latest_run()['agent_address']}\n"
        f"\nLook around: . .prism/env.sh && pulumi preview && prism-iac computations show {COMPUTATION}"
        "\nEnd it: make down"
    )


def latest_run() -> dict[str, Any]:
    run: dict[str, Any] = ask(f"prism-iac computations show {COMPUTATION} --json")["run"]
    return run


def vm() -> dict[str, Any]:
    """The one VM of the stack."""
    (only,) = ask("prism-iac vms list --json")
    record: dict[str, Any] = only
    return record


def archive_of(run: dict[str, Any]) -> Path:
    return RESULT / f"run-{run['number']}.zip"


def is_fetched(run: dict[str, Any]) -> bool:
    return archive_of(run).exists() and (FILES / "regression.png").exists()


def is_lost(run: dict[str, Any]) -> bool:
    """Whether a run has ended and its agent has no result to give."""
    return run["status"] != "running" and vm()["state"] != "ConsumingResults"


def learn_the_way() -> None:
    """Have the variables that lead to the agent: its address, certificates, and what its evidence must say."""
    command = f"prism-iac env {COMPUTATION} --files {CERTIFICATES}"
    say(f'$ eval "$({command})"')
    for word in shlex.split(output_of(command)):
        name, is_value, value = word.partition("=")
        if is_value:
            os.environ[name] = value


def participant(name: str, command: str) -> None:
    """Act as a participant, with their own key; nothing is sent before the agent's evidence meets the policy."""
    do(f"prism-iac {command} --computation {COMPUTATION} --as {name}@example.com --key {KEYS / name}.pem")


def do(command: str) -> None:
    """Run a command for everybody to see; its failure is the end of this one."""
    say(f"$ {command}")
    code = subprocess.run(shlex.split(command), check=False).returncode
    if code != 0:
        sys.exit(code)


def ask(command: str) -> Any:
    """The document that a command prints."""
    return json.loads(output_of(command))


def output_of(command: str) -> str:
    return subprocess.run(shlex.split(command), check=True, stdout=subprocess.PIPE, text=True).stdout


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
