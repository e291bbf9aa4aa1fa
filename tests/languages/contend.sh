#!/bin/sh
# The contender on the command line: see README.md.
set -eu
journal=$1 times=$2 count=$3
read -r _
served=0
while [ "$served" -lt "$times" ]; do
    portalloc run --ports "$count" --wait 60s -- python3 "$(dirname "$0")/hold.py" "$journal"
    served=$((served + 1))
done
echo "$times"
