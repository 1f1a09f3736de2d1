# shellcheck shell=bash
# Shared by the scripts of this folder (sourced, never run): talking, long steps, locks, packages.
#
# Every script prints its answer on standard output and everything else on standard error, so that
# python=$(ci/get-python 3.13t) works. A long step runs in a process group of its own: an interrupt
# reaches this shell first, which then ends the whole group and cleans up in a known order.

# shellcheck disable=SC2034  # ROOT, CACHE and TAG_PATTERN are for the scripts
set -u -o pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/ftthreading
TAG_PATTERN='^3\.(13|14|15)(t|t-opt|td|tsan)?$'
ME=${0##*/}

say() { printf '%s: %s\n' "$ME" "$*" >&2; }

# Ends the script. The second and later arguments are further lines, such as what to do about it.
die() {
    local line
    for line in "$@"; do say "$line"; done
    exit 1
}

# What to do when the script ends, by whatever way; scripts append to it.
CLEANUPS=()
cleanup() {
    local status=$? command job
    trap - EXIT INT TERM HUP
    end_lanes
    # The shell is asked for its jobs, since a signal may come before a variable holds their number.
    for job in $(jobs -p); do
        kill -TERM -- "-$job" 2>/dev/null || kill -TERM "$job" 2>/dev/null # a step's is a group
        wait "$job" 2>/dev/null
        kill -KILL -- "-$job" 2>/dev/null
    done
    for command in ${CLEANUPS[@]+"${CLEANUPS[@]}"}; do eval "$command"; done
    exit "$status"
}
trap cleanup EXIT
trap 'say interrupted; exit 130' INT
trap 'say terminated; exit 143' TERM HUP

# step LOG TITLE COMMAND...: runs COMMAND with its output appended to LOG, says TITLE, shows that
# time passes, and returns COMMAND's status. A terminal gets one live line, a file a line every 15 s.
# STEP_MAY_FAIL, where set, is what to say of a failure that is none.
step() {
    local log=$1 title=$2 start=$SECONDS next=15 tick=0.05 pid status took line
    shift 2
    printf '\n$ %s\n' "$*" >>"$log"
    [[ -t 2 ]] || say "$title ..."
    set -m # a group of its own, and SIGINT not ignored as it is for a plain background job
    "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    while kill -0 "$pid" 2>/dev/null; do
        sleep "$tick"
        took=$((SECONDS - start))
        ((took < 1)) || tick=0.5
        if [[ -t 2 ]]; then
            printf '\r\033[K%s: %s ... %d s' "$ME" "$title" "$took" >&2
        elif ((took >= next)); then
            line=$(tail -n 1 "$log" | tr -d '\r')
            ((${#line} <= 60)) || line=...${line: -57} # a compiler's line ends with the file
            say "$title ... $took s: $line"
            next=$((next + 15))
        fi
    done
    wait "$pid"
    status=$?
    took=$((SECONDS - start))
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
    if ((status == 0)); then
        say "$title: done in $took s"
    elif [[ -n ${STEP_MAY_FAIL-} ]]; then
        say "$title: $STEP_MAY_FAIL"
    else
        say "$title: FAILED after $took s (exit status $status); the last lines of $log:"
        tail -n 25 "$log" | sed 's/^/    /' >&2
    fi
    return "$status"
}

LANES=()
LANE_SECONDS=10 # that an interrupted one has for its own cleaning up
# lanes FOLDER FUNCTION...: runs the functions side by side, each in a process group of its own, with
# FOLDER/FUNCTION.log for what it says. That is shown in the order of the functions: the first one's
# as it comes, the next one's when that is over. Returns 1 if one of them failed.
lanes() {
    local folder=$1 name status=0
    local -A pids
    shift
    for name in "$@"; do
        : >"$folder/$name.log" # before anybody looks for it
        set -m
        ( # a subshell has lost the traps; these wait for the command that gets the same signal
            trap 'exit 130' INT
            trap 'exit 143' TERM HUP
            "$name"
        ) >>"$folder/$name.log" 2>&1 </dev/null &
        set +m
        pids[$name]=$!
        LANES+=("$!")
    done
    for name in "$@"; do
        tail -s 0.2 -n +1 -f --pid="${pids[$name]}" "$folder/$name.log" & # waited for: a trap runs at once
        wait "$!"
        wait "${pids[$name]}" || status=1
    done
    LANES=()
    return "$status"
}

# end_lanes: interrupts all lanes, as a terminal would, and gives them time to clean up; what is there
# then, cleanup ends.
end_lanes() {
    local lane tries
    for lane in ${LANES[@]+"${LANES[@]}"}; do kill -INT -- "-$lane" 2>/dev/null; done
    for lane in ${LANES[@]+"${LANES[@]}"}; do
        for ((tries = 0; tries < 10 * LANE_SECONDS; tries++)); do
            kill -0 -- "-$lane" 2>/dev/null || break
            sleep 0.1
        done
    done
}

# lock FILE WHAT: takes FILE's lock until unlock or the script's end; locks nest. Steps inherit it,
# so what a killed script left running keeps others out until it is over.
LOCKS=()
lock() {
    local fd start=$SECONDS next=20
    mkdir -p "$(dirname "$1")"
    exec {fd}>>"$1"
    LOCKS+=("$fd")
    flock -n "$fd" && return
    say "another call is busy with $2; waiting for it"
    until flock -w 2 "$fd"; do # in small bits, so that an interrupt gets through
        ((SECONDS - start < next)) && continue
        say "still waiting for the other call ... $((SECONDS - start)) s"
        next=$((next + 20))
    done
    say "the other call is over after $((SECONDS - start)) s"
}

# unlock: gives up the lock taken last.
unlock() {
    local last=$((${#LOCKS[@]} - 1)) fd
    fd=${LOCKS[last]}
    unset "LOCKS[last]"
    exec {fd}>&-
}

# missing_packages NAME...: those that dpkg does not have installed, on one line.
missing_packages() {
    local name missing=()
    for name in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
            missing+=("$name")
    done
    echo "${missing[*]-}"
}

# install_packages LOG WHY NAME...: installs the missing ones with apt-get, as root or through sudo.
# Returns 1, with a sentence, where that cannot be done.
install_packages() {
    local log=$1 why=$2 missing status
    shift 2
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "no apt-get here: taking it that the packages for $why are there"
        return 0
    fi
    [[ -n $(missing_packages "$@") ]] || return 0
    # apt-get waits for another apt-get's packages, but not for its lists.
    lock "$CACHE/packages.lock" "installing packages"
    missing=$(missing_packages "$@")
    install_missing "$log" "$why" "$missing"
    status=$?
    unlock
    return "$status"
}

# install_missing LOG WHY NAMES: the same for those that are missing, with the lock held.
install_missing() {
    local log=$1 why=$2 missing=$3 as_root=()
    [[ -n $missing ]] || return 0
    say "$why: installing the missing packages: $missing"
    local install="apt-get install -y --no-install-recommends $missing"
    if ((EUID != 0)); then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; }; }
        then
            as_root=(sudo)
        else
            say "not root and no usable sudo; ask the administrator for: $install"
            return 1
        fi
    fi
    local apt=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive
        apt-get -o DPkg::Lock::Timeout=300)
    # shellcheck disable=SC2086  # a list of words
    step "$log" "installing packages" "${apt[@]}" install -y --no-install-recommends $missing ||
        { step "$log" "updating the package lists" "${apt[@]}" update &&
            step "$log" "installing packages" "${apt[@]}" install -y --no-install-recommends $missing; }
}

# install_clang LOG WHY: clang with its sanitizer run time and symbolizer. The run time's package
# carries the version that the package clang stands for.
install_clang() {
    local log=$1 why=$2 version
    command -v dpkg-query >/dev/null || return 0
    install_packages "$log" "$why" clang llvm || return 1
    version=$(clang -dumpversion | cut -d. -f1)
    install_packages "$log" "$why" "libclang-rt-$version-dev"
}
