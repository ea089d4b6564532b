#!/bin/bash
# Run a project's tests in its repository: bash -s REPOSITORY COMMAND [SKIPPED TEST]... < run_tests.sh
# Says in UTC what is tested, where and with what; traces each command; leaves the same text in ~/zuul-output/logs/tests.txt.
set -euo pipefail
export TZ=UTC LC_ALL=C.UTF-8
repository=$1 command=$2
shift 2
export SKIP_TESTS="$*"

stamp() { while IFS= read -r line; do printf '%(%Y-%m-%dT%H:%M:%SZ)T %s\n' -1 "$line"; done; }

run() {
    cd "$repository"
    echo "repository: $repository"
    echo "commit: $(git rev-parse HEAD)"
    echo "tree: $(git rev-parse 'HEAD^{tree}')"
    echo "subject: $(git log -1 --format=%s)"
    # shellcheck source=/dev/null
    echo "node: $(hostname)"
    echo "system: $(. /etc/os-release && echo "$PRETTY_NAME"), $(uname -srm)"
    echo "tools: $(python3 --version), $(git --version), $(make --version | head -n 1)"
    echo "hypervisor: $(cat /sys/hypervisor/type 2>/dev/null || echo none)"
    [[ ! -r /sys/hypervisor/uuid ]] || echo "guest: $(cat /sys/hypervisor/uuid)"
    echo "command: $command"
    echo "skipped tests: ${SKIP_TESTS:-none}"
    set -x
    bash -euxo pipefail -c "$command"
}

mkdir -p ~/zuul-output/logs
run 2>&1 </dev/null | stamp | tee ~/zuul-output/logs/tests.txt
