# shellcheck shell=bash
# Builds a CPython from the distribution's source package (sourced by get-python).
#
# The source comes through the machine's own apt: its Debian entry is turned into a deb-src entry in
# a private apt configuration, so apt itself checks signatures and sums, nothing of the system's
# configuration is touched, and no root is needed for it. The interpreter is installed into a staging
# folder and renamed into place as the last act: whatever is in place is whole.

BUILD_PACKAGES=(gcc libc6-dev make pkg-config xz-utils libssl-dev zlib1g-dev libbz2-dev
    libreadline-dev libncurses-dev libsqlite3-dev libffi-dev liblzma-dev uuid-dev libzstd-dev)

# Releases known to have been in the archive's pool, for the day that no suite lists the package.
# The name in the pool, then the file's SHA-256.
KNOWN_SOURCES='
python3.14_3.14.7.orig.tar.xz 3b48dac8fb59f62eaa67ac83c1eb12bda1b7a08406dd286e252c11a66be27f81
python3.15_3.15.0~rc1.orig.tar.xz f84dad680ab2147417d2739355c2678f0f9acffe4ae8ef77895de1454b384b07
'

# apt_sources: prints the machine's apt source files.
apt_sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
        /etc/apt/sources.list.d/*.sources; do
        [[ ! -r $file ]] || printf '%s\n' "$file"
    done
}

# debian_entry FILE...: prints "URI|KEYRING" of the entry for Debian's main archive, from either kind
# of source file. That archive has a plain release name as its suite (-security and -updates are none)
# and the component main. A vendor's own archive may look the same, so a folder /debian goes first.
debian_entry() {
    awk -v releases='^(oldstable|stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke)$' '
        function plain(suites,  n, i, words) {
            n = split(suites, words, " ")
            for (i = 1; i <= n; i++)
                if (words[i] ~ releases) return 1
            return 0
        }
        function offer(  uri) {
            split(uris, words, " ")
            uri = words[1]
            if (enabled && types ~ /deb/ && plain(suites) && (" " components " ") ~ / main /) {
                if (uri ~ /\/debian\/?$/ && sure == "") sure = uri "|" key
                if (likely == "") likely = uri "|" key
            }
            types = uris = suites = components = key = ""
            enabled = 1
        }
        BEGIN { enabled = 1 }
        FNR == 1 { offer() }
        /^[ \t]*#/ { next }
        /^[ \t]*$/ { offer(); next }
        /^deb(-src)?[ \t]/ {
            line = $0
            key = ""
            if (match(line, /\[[^]]*\]/)) {
                options = substr(line, RSTART + 1, RLENGTH - 2)
                line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
                n = split(options, words, " ")
                for (i = 1; i <= n; i++)
                    if (words[i] ~ /^signed-by=/) key = substr(words[i], 11)
            }
            n = split(line, words, " ")
            types = words[1]; uris = words[2]; suites = words[3]; components = ""
            for (i = 4; i <= n; i++) components = components " " words[i]
            components = substr(components, 2)
            offer()
            next
        }
        {
            colon = index($0, ":")
            name = tolower(substr($0, 1, colon - 1))
            value = substr($0, colon + 1)
            sub(/^[ \t]+/, "", value)
            sub(/[ \t]+$/, "", value)
            if (name == "types") types = value
            else if (name == "uris") uris = value
            else if (name == "suites") suites = value
            else if (name == "components") components = value
            else if (name == "signed-by" && value ~ /^\//) key = value
            else if (name == "enabled") enabled = (value !~ /^no/)
        }
        END {
            offer()
            print (sure != "" ? sure : likely)
        }
    ' "$@"
}

# private_apt FOLDER URI KEYRING SUITE...: writes an apt configuration of its own into FOLDER.
private_apt() {
    local folder=$1 uri=$2 keyring=$3
    shift 3
    mkdir -p "$folder"/{lists/partial,cache/archives/partial,parts}
    {
        printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$*"
        [[ -z $keyring ]] || printf 'Signed-By: %s\n' "$keyring"
    } >"$folder/parts/debian.sources"
    cat >"$folder/apt.conf" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$folder/parts";
Dir::State::Lists "$folder/lists";
Dir::Cache "$folder/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Retries "2";
END
}

# fetch_source VERSION FOLDER LOG: leaves the newest source archive that is served for VERSION in
# FOLDER and its path in SOURCE.
fetch_source() {
    local version=$1 folder=$2 log=$3 entry uri keyring suites apt name sum release files
    SOURCE=$(find "$folder" -maxdepth 1 -name "python${version}_*.orig.tar.xz" 2>/dev/null | sort -V | tail -n 1)
    [[ -z $SOURCE ]] || { say "source: ${SOURCE##*/}, fetched before"; return 0; }
    command -v apt-get >/dev/null || {
        say "no apt-get here, so no source package: get a CPython $version in another way and put" \
            "it on PATH"
        return 1
    }
    mapfile -t files < <(apt_sources)
    entry=$(debian_entry "${files[@]}" </dev/null)
    [[ -n $entry ]] || { say "no entry for Debian's main archive among apt's sources"; return 1; }
    uri=${entry%%|*} keyring=${entry#*|}
    case $version in
        3.13) suites='trixie' ;;
        *) suites='forky sid' ;;
    esac
    local work=$folder/.fetch-$version
    CLEANUPS+=("rm -rf '$work'")
    rm -rf "$work"
    mkdir -p "$work/files"
    # shellcheck disable=SC2086  # a list of words
    private_apt "$work" "$uri" "$keyring" $suites
    apt="env APT_CONFIG=$work/apt.conf apt-get -q"
    # shellcheck disable=SC2086
    step "$log" "reading the source lists of Debian $suites" $apt update ||
        say "not every list could be read; going on with those that could"
    cd "$work/files" || return 1
    # An archive may list a release that its mirror does not serve (any more, or yet).
    for release in $(env APT_CONFIG="$work/apt.conf" apt-cache showsrc "python$version" 2>/dev/null |
        awk '$1 == "Version:" { print $2 }' | sort -rVu); do
        # shellcheck disable=SC2086
        STEP_MAY_FAIL="listed by the archive, but not served" \
            step "$log" "fetching the source package python$version $release" \
            $apt source --download-only --tar-only "python$version=$release" && break
        rm -f "$work"/files/*
    done
    if ! compgen -G "python${version}_*.orig.tar.xz" >/dev/null; then
        while read -r name sum; do
            [[ $name == python${version}_* ]] || continue
            step "$log" "fetching $name from the pool" /usr/lib/apt/apt-helper \
                -o APT::Sandbox::User="$(id -un)" download-file \
                "${uri%/}/pool/main/p/python$version/$name" "$work/files/$name" "SHA256:$sum" && break
            rm -f "$work"/files/*
        done <<<"$KNOWN_SOURCES"
    fi
    cd "$ROOT" || return 1
    name=$(compgen -G "$work/files/python${version}_*.orig.tar.xz" | head -n 1)
    [[ -n $name ]] || { say "no source of CPython $version can be had here"; return 1; }
    mv "$name" "$folder/" && SOURCE=$folder/${name##*/} && rm -rf "$work"
}

# build_python TAG PREFIX: builds TAG and renames it to PREFIX. Call it with TAG's lock held.
build_python() {
    local tag=$1 prefix=$2 version log build options=() compilers=()
    version=${tag%%t*}
    log=$CACHE/log/$tag.log build=$CACHE/build/$tag
    mkdir -p "$CACHE/log" "$CACHE/source" "$CACHE/build" "$(dirname "$prefix")"
    : >"$log"
    say "no CPython for $tag found: building one from Debian's source package (3 to 5 minutes on two" \
        "cores, a sanitizer build 10, an optimised one half an hour; log: $log)"
    case $tag in
        *tsan)
            # As CPython's own sanitizer job does it: with the assertions of --with-pydebug.
            options=(--disable-gil --with-thread-sanitizer --with-pydebug)
            compilers=(CC=clang CXX=clang++)
            ;;
        *-opt) options=(--disable-gil --enable-optimizations --with-lto) ;;
        *td) options=(--disable-gil --with-pydebug) ;;
        *t) options=(--disable-gil) ;;
    esac
    install_packages "$log" "building CPython" "${BUILD_PACKAGES[@]}" || return 1
    [[ $tag != *tsan ]] || install_clang "$log" "building with ThreadSanitizer" ||
        return 1
    lock "$CACHE/lock/source-$version" "fetching the source of CPython $version"
    fetch_source "$version" "$CACHE/source" "$log" || return 1
    unlock

    rm -rf "$build" # left by a call that was killed
    mkdir -p "$build/source" "$build/stage"
    CLEANUPS+=("rm -rf '$build'")
    step "$log" "unpacking ${SOURCE##*/}" \
        tar -xf "$SOURCE" -C "$build/source" --strip-components=1 || return 1
    cd "$build/source" || return 1
    if [[ $tag == *tsan ]]; then
        # The build runs what it built. Races that CPython itself knows of must not end it.
        local suppressions=$build/source/Tools/tsan/suppressions_free_threading.txt
        export TSAN_OPTIONS="suppressions=$suppressions handle_segv=0"
    fi
    step "$log" "configuring CPython $tag" env ${compilers[@]+"${compilers[@]}"} ./configure \
        --prefix="$prefix" --with-ensurepip=no ${options[@]+"${options[@]}"} || return 1
    step "$log" "compiling CPython $tag" make -j"$(nproc)" || return 1
    # -h: no compileall here. It would compile the whole library three times over, under a
    # sanitizer for a quarter of an hour; compile_library does once what is wanted.
    step "$log" "installing CPython $tag" \
        make install DESTDIR="$build/stage" COMPILEALL_OPTS=-h || return 1
    local staged=$build/stage$prefix
    mkdir -p "$staged/share/ftthreading"
    cp Tools/gdb/libpython.py "$staged/share/ftthreading/" 2>/dev/null
    cp -r Tools/tsan "$staged/share/ftthreading/" 2>/dev/null
    printf 'tag: %s\nsource: %s\nconfigure: %s\n' "$tag" "${SOURCE##*/}" \
        "${compilers[*]-} ${options[*]-}" >"$staged/share/ftthreading/build.txt"
    step "$log" "compiling the library's modules" compile_library "$staged" "$prefix" || return 1
    cd "$ROOT" || return 1
    rm -rf "$prefix"
    mv "$staged" "$prefix" || return 1
    unset TSAN_OPTIONS
    rm -rf "$build"
}

# compile_library STAGED PREFIX: writes the .pyc files as they will be found under PREFIX.
compile_library() {
    local library
    library=$(compgen -G "$1/lib/python3.*/os.py") || return 1
    library=${library%/os.py}
    ./python -E -S -m compileall -q -j"$(nproc)" -s "$1" -p "$2" -x '/(test|idlelib|lib2to3)/' "$library" ||
        return 1
}
