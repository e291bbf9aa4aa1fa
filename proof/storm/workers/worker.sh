#!/bin/sh
# The worker on the command line: see ../README.md. It is killed with its whole group, or only the command that it is
# just running: then it goes on.
serial=$1 random=$2
kept=
parts=0

note() {
    printf '%-63s\n' "$*" >>"$STORM_JOURNAL"
}

# Sets $drawn to a number below $1.
below() {
    random=$(((random * 1103515245 + 12345) & 2147483647))
    drawn=$(((random >> 8) % $1))
}

# Runs a command, which must succeed, unless there are no ports, or it was killed, or the storm's fault met it.
attempt() {
    "$@"
    status=$?
    case $status in
    0) return 0 ;;
    137) return 1 ;;
    3) note did "$serial" pool_exhausted ;;
    *)
        if [ -z "$STORM_TOLERATED" ]; then
            echo "$serial: status $status of $*" >&2
            exit 1
        fi
        note did "$serial" tolerated
        ;;
    esac
    end_kept
    return 1
}

create() {
    written=$(attempt portalloc create --shell --instance-id "$serial" "$@") || return 1
    eval "$written"
}

end_kept() {
    for entry in $kept; do
        id=${entry%%:*}
        ports=${entry#*:}
        note gave "$serial+$id" "${ports%%:*}" "${ports#*:}"
        portalloc cleanup --id "$id" >/dev/null && note did "$serial" cleanup
    done
    kept=
}

# Whoever ends the storm ends its workers.
while kill -0 "$STORM_PID" 2>/dev/null; do
    below 5
    count=$((drawn + 1))
    below 12
    case $drawn in
    0 | 1 | 2)
        # The command goes on with its ports where `run` is killed.
        parts=$((parts + 1))
        # shellcheck disable=SC2016 # the command expands them
        attempt portalloc run --ports "$count" --instance-id "$serial" -- sh -c '
            part=$0
            note() { printf "%-63s\n" "$*" >>"$STORM_JOURNAL"; }
            note took "$part" "$PORT_BASE" "$PORT_COUNT"
            spins=200
            while [ "$spins" -gt 0 ]; do spins=$((spins - 1)); done
            note gave "$part" "$PORT_BASE" "$PORT_COUNT"
            note did "$part" orphan
        ' "$serial-run$parts" && note did "$serial" run
        ;;
    3)
        parts=$((parts + 1))
        # shellcheck disable=SC2016 # the command expands them
        attempt portalloc run --guard --ports "$count" --instance-id "$serial" -- sh -c '
            note() { printf "%-63s\n" "$*" >>"$STORM_JOURNAL"; }
            note took "$0" "$PORT_BASE" "$PORT_COUNT"
            note gave "$0" "$PORT_BASE" "$PORT_COUNT"
        ' "$serial-run$parts" && note did "$serial" guarded
        ;;
    4 | 5)
        if create --ports "$count"; then
            note took "$serial+$ISOLATION_ID" "$PORT_BASE" "$PORT_COUNT"
            kept="$kept $ISOLATION_ID:$PORT_BASE:$PORT_COUNT"
            note did "$serial" kept
        fi
        ;;
    6) create --ports "$count" --owner-pid $$ && note took "$serial=$ISOLATION_ID" "$PORT_BASE" "$PORT_COUNT" && note did "$serial" owned ;;
    7) create --ports "$count" --ttl 5ms && note did "$serial" ttl ;;
    8) end_kept ;;
    9) attempt portalloc cleanup --stale >&2 && note did "$serial" stale ;;
    10) attempt portalloc reconcile >&2 && note did "$serial" reconcile ;;
    *) attempt portalloc list >/dev/null && note did "$serial" list ;;
    esac
done
