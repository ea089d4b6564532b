#!/bin/bash
# Build what is to be booted, put it on the leased host and choose it for the next boot: bash -s REPOSITORY BUILD COMMAND FOLDER
# [PACKAGE PATTERN]... < xen_boot.sh. Leaves the same text in ~/zuul-output/logs/xen-boot.txt.
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
repository=$1 build=$2 command=$3 folder=$4
shift 4
patterns=("$@")

chosen=()
choose() { # what, file on the host
    chosen+=("\"$1\": \"$2\"")
    echo "$1: $2"
}

packages() {
    local names name files
    mapfile -t files < <(printf '%s\n' "${patterns[@]}" | while IFS= read -r pattern; do compgen -G "./$pattern"; done)
    ((${#files[@]})) || { echo "no package matches ${patterns[*]}" >&2; exit 1; }
    sudo apt-get install --yes --allow-downgrades --reinstall "${files[@]}"
    mapfile -t names < <(for name in "${files[@]}"; do dpkg-deb --field "$name" Package; done)
    mapfile -t files < <(dpkg --listfiles "${names[@]}" | sort)
    for name in "${files[@]}"; do
        case $name in
            /boot/xen-*.gz) choose xen "$name" ;;
            /boot/vmlinuz-*) choose kernel "$name"; choose initrd "/boot/initrd.img-${name#/boot/vmlinuz-}" ;;
        esac
    done
}

folder() {
    local file to
    for file in xen:xen.gz kernel:vmlinuz initrd:initrd; do
        to=/boot/xenci-build-${file#*:}
        if [[ -f $folder/${file#*:} ]]; then
            sudo install -m 0644 "$folder/${file#*:}" "$to"
            choose "${file%:*}" "$to"
        fi
    done
    ((${#chosen[@]})) || { echo "$folder has none of xen.gz, vmlinuz and initrd" >&2; exit 1; }
}

run() {
    cd "$repository"
    echo "commit: $(git rev-parse HEAD)"
    echo "command: $command"
    bash -euxo pipefail -c "$command"
    if ((${#patterns[@]})); then packages; else folder; fi
    # Xen ignores a word that it does not know; afterwards it tells that this boot was the chosen one.
    options="$(sudo xl info | sed -n 's/^xen_commandline *: //p') xenci_build=$build"
    chosen+=('"operation": "boot"' "\"xen_options\": \"$options\"")
    request=$(IFS=,; echo "{${chosen[*]}}")
    echo "$request"
    sudo xenci-guest --operator <<<"$request"
}

mkdir -p ~/zuul-output/logs
run 2>&1 </dev/null | tee ~/zuul-output/logs/xen-boot.txt
