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
    accept $? "$*"
}

# Ends with 99 if a command must not have ended with that status. 0: it was done. Where the shell has been killed, what
# it had in a substitution lives on and cannot write to it; then nobody sees this, either.
accept() {
    case $1 in
    0) return 0 ;;
    137) ;;
    3) note did "$serial" pool_exhausted ;;
    5) note did "$serial" in_use ;;
    *)
        if [ "$STORM_TOLERATED" = in_use ]; then
            echo "$serial: status $1 of $2" >&2
            exit 99
        fi
        note did "$serial" tolerated
        ;;
    esac
    return 1
}

create() {
    written=$(attempt portalloc create --shell --instance-id "$serial" "$@")
    case $? in
    0) eval "$written" ;;
    99) exit 99 ;;
    *) return 1 ;;
    esac
}

end_kept() {
    for entry in $kept; do
        id=${entry%%:*}
        ports=${entry#*:}
        note gave "$serial+$id" "${ports%%:*}" "${ports#*:}"
        portalloc cleanup --id "$id" >/dev/null
        accept $? "cleanup --id $id" && note did "$serial" cleanup
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
        create --ports "$count" && {
            note took "$serial+$ISOLATION_ID" "$PORT_BASE" "$PORT_COUNT"
            kept="$kept $ISOLATION_ID:$PORT_BASE:$PORT_COUNT"
            note did "$serial" kept
        }
        ;;
    6) create --ports "$count" --owner-pid $$ && note took "$serial=$ISOLATION_ID" "$PORT_BASE" "$PORT_COUNT" && note did "$serial" owned ;;
    7) create --ports "$count" --ttl 5ms && note did "$serial" ttl ;;
    8) end_kept ;;
    9) attempt portalloc cleanup --stale >&2 && note did "$serial" stale ;;
    10) attempt portalloc reconcile >&2 && note did "$serial" reconcile ;;
    *) attempt portalloc list >/dev/null && note did "$serial" list ;;
    esac || end_kept # Room for others.
done
