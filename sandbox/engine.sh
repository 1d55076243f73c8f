#!/bin/sh
# Finds a container engine, or runs a private one for as long as somebody needs it.
#
#   engine.sh start         make sure that an engine answers (installs what is missing, says so on stderr)
#   engine.sh env           print `export DOCKER_HOST=…` for it and nothing else
#   engine.sh stop          this user no longer needs the private engine; it ends with its last user
#   engine.sh with COMMAND… start, run COMMAND with DOCKER_HOST set, stop
#
# An engine that answers already (DOCKER_HOST, the default socket, the client's current context) is used and left
# alone. A user is a process: the caller of this script, or the process id in ENGINE_OWNER. A private engine has its
# own socket, data folder and network name space without any interface, so nothing that it runs or pulls can reach a
# network. Where gVisor's runsc is installed (`make gvisor`), it offers that as the runtime `runsc`. It needs root or
# sudo. Exit codes: 0 done, 2 usage, 3 no engine can be had on this machine.
set -eu

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
state="$checkout/.cache/engine"
# Socket paths must stay below 107 bytes, wherever the checkout lies; the engine adds up to 40 of its own.
short="/run/humdial-$(printf %s "$checkout" | cksum | cut -d' ' -f1)"
socket="$short/s"
owner=${ENGINE_OWNER:-$PPID}
python=${PYTHON:-python3}

say() { printf '%s\n' "engine: $*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

answers() { # DOCKER_HOST: does an engine answer there within two seconds?
    [ -n "$1" ] || return 1
    case $1 in unix:* | tcp:* | http:*) ;; *) command -v docker >/dev/null && DOCKER_HOST=$1 docker version >/dev/null 2>&1; return ;; esac
    "$python" - "$1" <<'PYTHON' 2>/dev/null
import os, socket, sys
kind, _, rest = sys.argv[1].partition("://")
if kind == "unix":
    peer = socket.socket(socket.AF_UNIX)
    address = rest
else:
    peer = socket.socket()
    host, _, port = rest.partition(":")
    if os.environ.get("DOCKER_TLS_VERIFY"):  # a TLS engine: that the port opens is all that can be seen from here
        peer.settimeout(2)
        peer.connect((host, int(port or 2376)))
        sys.exit(0)
    address = (host, int(port or 2375))
peer.settimeout(2)
peer.connect(address)
peer.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
reply = b""
while len(reply) < 65536 and (chunk := peer.recv(4096)):
    reply += chunk
sys.exit(0 if b" 200 " in reply[:16] else 1)
PYTHON
}

found_host() { # prints the address of an engine that is not ours, or fails
    if [ -n "${DOCKER_HOST:-}" ] && [ "$DOCKER_HOST" != "unix://$socket" ]; then
        answers "$DOCKER_HOST" && printf '%s' "$DOCKER_HOST"
        return
    fi
    if answers unix:///var/run/docker.sock; then printf '%s' unix:///var/run/docker.sock; return; fi
    context=$(env -u DOCKER_HOST docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || return 1
    [ "$context" != unix:///var/run/docker.sock ] && answers "$context" && printf '%s' "$context"
}

install_missing() { # packages by apt-get, with their download size said before it starts
    missing=''
    command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || missing="$missing docker.io"
    command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "no engine answers and this system has no apt-get; install Docker and try again"
        exit 3
    fi
    say "installing$missing by apt-get (system packages, they stay on the machine)"
    # shellcheck disable=SC2086
    size() { as_root env LC_ALL=C apt-get install --assume-no --no-install-recommends $missing 2>/dev/null | grep 'Need to get' || :; }
    need=$(size)
    if [ -z "$need" ]; then as_root apt-get update -q >/dev/null || :; need=$(size); fi
    say "${need:-the download size is not known (about 70 MB)}"
    # shellcheck disable=SC2086
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >"$state/apt.log" 2>&1; then
        say "apt-get failed; its last lines:"
        tail -n 5 "$state/apt.log" >&2
        exit 3
    fi
}

write_settings() { # the private engine's configuration file: gVisor as a second runtime, when it is there
    runsc=$(command -v runsc || :)
    if [ -n "$runsc" ]; then
        # oci-seccomp: without it gVisor does not look at the system call list that a container is given.
        printf '{"runtimes": {"runsc": {"path": "%s", "runtimeArgs": ["--network=none", "--oci-seccomp"]}}}\n' "$runsc"
    else
        printf '{}\n'
    fi >"$state/daemon.json"
}

start_private() {
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        say "no engine answers, and a private one needs root or sudo; start Docker or set DOCKER_HOST"
        exit 3
    fi
    install_missing
    PATH="$PATH:/usr/sbin:/sbin"
    as_root mkdir -p "$short" "$state/data"
    as_root chmod 711 "$short"
    write_settings
    say "starting a private engine (no network, data in .cache/engine)"
    # In a session of its own, so that Ctrl-C at the terminal reaches the users of the engine and not the engine.
    # The lock (descriptor 9) must not live on in it.
    (
        exec 9>&-
        set -- setsid unshare -n dockerd --config-file "$state/daemon.json" --host "unix://$socket" --data-root "$state/data" --exec-root "$short/x" \
            --pidfile "$short/pid" --iptables=false --ip6tables=false --bridge=none --shutdown-timeout 5 --log-level warn
        [ "$(id -u)" -eq 0 ] || set -- sudo "$@"
        exec "$@" </dev/null >"$state/dockerd.log" 2>&1
    ) &
    tries=0
    until answers "unix://$socket"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ]; then
            say "the private engine did not answer within 30 s; the last lines of .cache/engine/dockerd.log:"
            tail -n 5 "$state/dockerd.log" >&2
            exit 3
        fi
        sleep 0.1
    done
    # The engine obeys whoever may open its socket: the user who started it, nobody else.
    as_root chown "$(id -u)" "$socket"
    as_root chmod 600 "$socket"
}

start() {
    mkdir -p "$state/users"
    if found=$(found_host) && [ -n "$found" ]; then
        printf '%s' "$found" >"$state/found"
        say "using the engine at $found"
        return
    fi
    rm -f "$state/found"
    exec 9>"$state/lock"
    flock 9
    : >"$state/users/$owner"
    if answers "unix://$socket"; then say "using the private engine that is already there"; else start_private; fi
    exec 9>&-
}

stop() {
    rm -f "$state/users/$owner"
    [ -S "$socket" ] || return 0
    exec 9>"$state/lock"
    flock 9
    for user in "$state/users"/*; do
        [ -e "$user" ] || continue
        # A user that died without saying so no longer counts.
        if kill -0 "${user##*/}" 2>/dev/null || [ -d "/proc/${user##*/}" ]; then return 0; fi
        rm -f "$user"
    done
    pid=$(as_root cat "$short/pid" 2>/dev/null) || return 0
    # An engine that died leaves its number behind, which may be another process's by now.
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dockerd ]; then as_root rm -rf "$short" || :; return 0; fi
    say "stopping the private engine"
    as_root kill "$pid" 2>/dev/null || :
    tries=0
    while as_root kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 150 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    as_root rm -rf "$short"
    exec 9>&-
}

address() {
    if answers "unix://$socket"; then printf 'unix://%s' "$socket"; else found_host; fi
}

case ${1:-} in
start) start ;;
stop) stop ;;
env)
    if found=$(address) && [ -n "$found" ]; then
        printf 'export DOCKER_HOST=%s\n' "$found"
    else
        say "no engine answers; run sandbox/engine.sh start first"
        exit 3
    fi
    ;;
with | run)
    shift
    owner=$$
    start
    trap 'stop' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    DOCKER_HOST=$(address)
    export DOCKER_HOST
    status=0
    "$@" || status=$?
    exit "$status"
    ;;
*)
    say "usage: engine.sh start|stop|env|with COMMAND…"
    exit 2
    ;;
esac
