# Shared by the scripts: sourced, never run.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/leanmeter"

say() { echo "leanmeter: $*" >&2; }

fail() {
    say "$*"
    exit 2
}

# apt_install PACKAGE... where apt and the right to use it exist.
# It never fails: the caller says what is still missing, in its own words.
apt_install() {
    local package as_root=(env)
    command -v apt-get >/dev/null || return 0
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || return 0
        as_root=(sudo -n env)
    fi
    say "installing $*"
    "${as_root[@]}" apt-get update -q </dev/null >&2 || true
    # One by one: a package that this release does not have must not keep the others away.
    for package in "$@"; do
        "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$package" \
            </dev/null >&2 || say "apt cannot install $package"
    done
}

# apt_install_missing COMMAND:PACKAGE... installs the packages whose command is missing.
apt_install_missing() {
    local pair packages=()
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || packages+=("${pair#*:}")
    done
    if ((${#packages[@]})); then
        apt_install "${packages[@]}"
    fi
}

# cached_program NAME VERSION: whether that version was built before; puts it under the name that the tests look for.
cached_program() {
    [[ -x "$cache/$1-$2/$1" ]] || return 1
    mkdir -p "$cache/bin"
    ln -sfn "../$1-$2/$1" "$cache/bin/$1"
}

# keep_program BUILT NAME VERSION puts a program that was built in the cache's file system there: whole or not at all.
keep_program() {
    mkdir -p "$cache/$2-$3"
    mv "$1" "$cache/$2-$3/$2"
    cached_program "$2" "$3"
}
