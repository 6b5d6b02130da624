# Starts the manager, or leaves alone the one that was started alike: KIND VERSION HOST PORT TLS VCPUS MAX_VMS.
# TLS is none, server or mutual. Standard input tells apart the files that it is started with.
wanted="$* $(cat)"
kind=$1 version=$2 host=$3 port=$4 tls=$5 vcpus=$6 max_vms=$7
home=$folder/versions/$version
run=$folder/$port
mkdir -p "$run"
if is_running "$run" && [ "$(cat "$run/started" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
stop_manager "$run"
! is_listening "$port" || fail "Port $port of the host is in use by another program."

set -a
. "$folder/environment"
set +a
case $kind in
binary)
    export MANAGER_GRPC_HOST="$host" MANAGER_GRPC_PORT="$port"
    export MANAGER_MAX_VMS="$max_vms" MANAGER_QEMU_SMP_COUNT="$vcpus"
    if [ "$tls" != none ]; then
        export MANAGER_GRPC_SERVER_CERT="$folder/tls/certificate" MANAGER_GRPC_SERVER_KEY="$folder/tls/key"
    fi
    if [ "$tls" = mutual ]; then
        export MANAGER_GRPC_CLIENT_CA_CERTS="$folder/tls/client_ca"
    fi
    set -- "$home/bin/manager"
    ;;
*)
    set -- "$home/bin/python" -m prism_iac.cli manager run --listen "$host:$port" --data "$run/data" \
        --vcpus "$vcpus" --max-vms "$max_vms"
    if [ "$tls" != none ]; then
        set -- "$@" --certificate "$folder/tls/certificate" --key "$folder/tls/key"
    fi
    if [ "$tls" = mutual ]; then
        set -- "$@" --client-ca "$folder/tls/client_ca"
    fi
    ;;
esac
cd "$run"
setsid "$@" </dev/null >log 2>&1 &
pid=$!
echo "$pid" >pid
tries=0
until is_listening "$port"; do
    tries=$((tries + 1))
    if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -eq 300 ]; then
        tail -n 20 log >&2
        stop_manager "$run"
        fail "The manager does not serve port $port; its last words are above."
    fi
    sleep 0.2
done
printf "%s\n" "$wanted" >started
