#!/bin/sh
# Makes the base image that the judge and the sample team images stand on: Debian 12 with CPython 3.11, nothing else.
#
#   base-image.sh           make .cache/base/base.tar when it is missing, and load it as humdial/base:local
#   base-image.sh tar       only the root file system tar
#
# BASE_IMAGE (a digest-pinned public image) is pulled when the engine has a network. Otherwise the same base is put
# together from Debian packages, byte for byte the same from the same package versions. `.cache/base/source` and
# stderr say which of the two happened. Exit codes: 0 done, 3 neither way works on this machine.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
checkout=$(dirname -- "$here")
base="$checkout/.cache/base"
python=${PYTHON:-$([ -x "$checkout/.venv/bin/python" ] && printf %s "$checkout/.venv/bin/python" || printf python3)}
tag=humdial/base:local
: "${BASE_IMAGE:=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b}"
SOURCE_DATE_EPOCH=1764000000 # a date of our own choosing, so that two builds agree
export SOURCE_DATE_EPOCH

say() { printf '%s\n' "base image: $*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo --preserve-env=SOURCE_DATE_EPOCH,TMPDIR "$@"; fi
}

pull() { # fails at once on the private engine, which has no network
    case $DOCKER_HOST in unix:///run/humdial-*) return 1 ;; esac
    command -v docker >/dev/null || return 1
    say "pulling $BASE_IMAGE (about 45 MB)"
    timeout 300 docker pull -q "$BASE_IMAGE" >/dev/null 2>&1 || return 1
    container=$(docker create --network none "$BASE_IMAGE" true)
    docker export "$container" >"$base/part.tar" || { docker rm "$container" >/dev/null; return 1; }
    docker rm "$container" >/dev/null
    printf 'pulled %s\n' "$BASE_IMAGE" >"$base/source"
}

build() {
    if ! command -v mmdebstrap >/dev/null; then
        if ! command -v apt-get >/dev/null; then
            say "the image cannot be pulled and this system has no apt-get; set BASE_IMAGE to an image that is here"
            exit 3
        fi
        say "installing mmdebstrap by apt-get (under 1 MB, with its dependencies up to 10 MB)"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends mmdebstrap >/dev/null
    fi
    say "building it from Debian 12 packages (about 40 MB to download, one to two minutes)"
    # In memory it takes half the time; it needs about 0.6 GB there.
    free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 {print $4}')
    if [ "${free:-0}" -gt 2000000 ]; then TMPDIR=/dev/shm; export TMPDIR; fi
    if ! as_root mmdebstrap --mode=root --variant=minbase --include=python3 --format=tar --quiet \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/var/cache/ldconfig/aux-cache' \
        bookworm "$base/part.tar" >"$base/build.log" 2>&1; then
        say "mmdebstrap failed; its last lines:"
        tail -n 5 "$base/build.log" >&2
        exit 3
    fi
    as_root chown "$(id -u):$(id -g)" "$base/part.tar"
    printf 'built from Debian packages\n' >"$base/source"
}

make_tar() {
    if [ -s "$base/base.tar" ]; then
        say "there already ($(cat "$base/source"))"
        return
    fi
    pull || build
    mv "$base/part.tar" "$base/base.tar"
    rm -f "$base/loaded"
    say "made ($(cat "$base/source")), $(($(wc -c <"$base/base.tar") / 1000000)) MB"
}

if [ -z "${DOCKER_HOST:-}" ]; then eval "$("$here/engine.sh" env)"; fi
export DOCKER_HOST
mkdir -p "$base"
exec 9>"$base/lock"
flock 9
make_tar
if [ "${1:-}" != tar ]; then
    (cd "$checkout" && "$python" -m harness.sandbox.base_image "$base/base.tar" "$tag") 9>&- || exit 3
fi
