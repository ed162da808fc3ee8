# Shared by the scripts: sourced, never run.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/leanmeter"

say() { echo "leanmeter: $*" >&2; }

fail() {
    say "$*"
    exit 2
}

# apt_install COMMAND:PACKAGE... installs the packages whose command is missing, where apt and the right to use it exist.
# It never fails: the caller says what is still missing, in its own words.
apt_install() {
    local pair package packages=() as_root=(env)
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || packages+=("${pair#*:}")
    done
    if ((${#packages[@]} == 0)) || ! command -v apt-get >/dev/null; then
        return 0
    fi
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || return 0
        as_root=(sudo -n env)
    fi
    say "installing ${packages[*]}"
    "${as_root[@]}" apt-get update -q </dev/null >&2 || true
    # One by one: a package that this release does not have must not keep the others away.
    for package in "${packages[@]}"; do
        "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$package" \
            </dev/null >&2 || say "apt cannot install $package"
    done
}

# keep_program BUILT NAME VERSION puts a program into the cache, whole or not at all, under the name that the tests look for.
keep_program() {
    mkdir -p "$cache/$2-$3" "$cache/bin"
    mv "$1" "$cache/$2-$3/$2"
    ln -sfn "../$2-$3/$2" "$cache/bin/$2"
}
