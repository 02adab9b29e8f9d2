#!/bin/bash
# live.sh - the tests against the real agents, so many times, and what came of it for each agent and claim.
#
#   bash tests/live.sh [ROUNDS [NEXTEST-ARGUMENT...]]
#
# Prints a Markdown table: rounds passed of rounds run, and the longest time. Exits with 1 where anything failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
rounds=${1:-1}
if [ $# -gt 0 ]; then shift; fi
results=$(mktemp)
trap 'rm -f "$results"' EXIT

for round in $(seq "$rounds"); do
    echo "== round $round of $rounds" >&2
    cargo nextest run --locked -p agentmuxd -E 'test(/^live::/)' --no-fail-fast --status-level all \
        --final-status-level fail "$@" 2>&1 | tee -a "$results" >&2
done

# A line is: OUTCOME [SECONDSs] (N/M) BINARY live::AGENT::CLAIM
awk '
    # What failed is said again at the end of a round.
    /Nextest run ID/ { over = 0 }
    /^ *Summary \[/ { over = 1 }
    !over && /^ *(PASS|FAIL|TIMEOUT|SIG[A-Z]+|ABORT|LEAK) \[/ {
        name = $NF
        if (split(name, part, "::") != 3 || part[1] != "live") next
        seconds = $0
        sub(/^[^[]*\[ *>? */, "", seconds)
        sub(/s\].*/, "", seconds)
        key = part[2] SUBSEP part[3]
        claims[part[3]]
        if ($1 == "PASS" || $1 == "LEAK") passed[key]++; else failed[key]++
        if (seconds + 0 > longest[key]) longest[key] = seconds + 0
    }
    # What is claimed of one agent only has its name in it.
    function outcome(key) {
        ran = passed[key] + failed[key]
        return ran ? sprintf("%d of %d, %.0f s", passed[key], ran, longest[key]) : "."
    }
    END {
        for (key in longest) {
            split(key, part, SUBSEP)
            of[part[2]]++
            wrong += failed[key]
        }
        for (key in longest) {
            split(key, part, SUBSEP)
            if (of[part[2]] > 1) shared[part[1]]
        }
        n = 0
        for (agent in shared) order[++n] = agent
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
            if (order[j] < order[i]) { t = order[i]; order[i] = order[j]; order[j] = t }
        row = "| claim |"; rule = "|---|"
        for (i = 1; i <= n; i++) { row = row " " order[i] " |"; rule = rule "---|" }
        print row; print rule
        for (claim in claims) {
            if (of[claim] < 2) continue
            row = "| " claim " |"
            gsub(/_/, " ", row)
            for (i = 1; i <= n; i++) row = row " " outcome(order[i] SUBSEP claim) " |"
            print row | "sort"
        }
        close("sort")
        print ""; print "| claim of one agent | |"; print "|---|---|"
        for (key in longest) {
            split(key, part, SUBSEP)
            if (of[part[2]] > 1) continue
            row = "| " part[2] " |"
            gsub(/_/, " ", row)
            print row " " outcome(key) " |" | "sort"
        }
        close("sort")
        exit wrong > 0
    }
' "$results"
