# What every script begins with. $1 is the folder of the manager, from the home of the user.
set -eu
umask 077
cd
mkdir -p "$1"
cd "$1"
folder=$(pwd)
shift

fail() {
    printf "%s\n" "$1" >&2
    exit 1
}

# Whether the manager whose state is in the folder $1 runs; a process that merely has its number does not count.
is_running() {
    pid=$(cat "$1/pid" 2>/dev/null) && grep -qsF -- "$folder/versions/" "/proc/$pid/cmdline"
}

is_listening() {
    grep -qsE ":$(printf "%04X" "$1") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6
}

# Ends the manager whose state is in the folder $1, and waits for its end.
stop_manager() {
    if is_running "$1"; then
        kill "$pid"
        tries=0
        while is_running "$1"; do
            tries=$((tries + 1))
            [ "$tries" -ne 100 ] || kill -9 "$pid"
            sleep 0.2
        done
    fi
    rm -f "$1/pid" "$1/started"
}
