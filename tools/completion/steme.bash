# SPDX-License-Identifier: Apache-2.0
# Bash completion for steme, printed by `steme completion` from its table of verbs.
_steme() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local verb= second= words= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --dir) i=$((i + 1)) ;;
        -*) ;;
        *) if [ -z "$verb" ]; then verb=${COMP_WORDS[i]}; else second=${COMP_WORDS[i]}; break; fi ;;
        esac
    done
    COMPREPLY=()
    case $before in
    --lens) words="recency consensus authority reliability pool union" ;;
    --type) words="entity text integer decimal quantity time boolean blob unknown none" ;;
    --format) words="ndjson tsv" ;;
    --kind) words="update correct" ;;
    --as | --agent | --root) words=$(steme key list 2>/dev/null | cut -f 1) ;;
    --dir) compopt -o dirnames; return ;;
    --sort) words="answers weight" ;;
    --method) words="auto one-coin confusion accuracy" ;;
    --svg) compopt -o dirnames; return ;;
    --rejects | --truth) compopt -o default; return ;;
    esac
    [ -n "$words" ] || case "$verb $second" in
    " " | "help "*) words=" init status verify rebuild bench key assert vote retract supersede epoch import export resolve why history conflicts impact watch lens view voices calibrate arena log show cat keys help" ;;
    "init "*) words=" --dir --json --table --help" ;;
    "status "*) words=" --dir --json --table --help" ;;
    "verify "*) words=" --dir --json --table --help" ;;
    "rebuild "*) words=" --dir --json --table --help" ;;
    "bench "*) words=" --count --dir --json --table --help" ;;
    "key new"*) words=" --dir --json --table --help" ;;
    "key list"*) words=" --dir --json --table --help" ;;
    "key show"*) words=" --dir --json --table --help" ;;
    "assert "*) words=" --not --confidence --source --evidence --valid-from --valid-to --asserted-at --epoch --parent --qualifier --type --plus --minus --unit --lang --key --as --dir --json --table --help" ;;
    "vote "*) words=" --probability --reason --claim --claim-id --subject --agent --source --batch --format --dry-run --rejects --verbose --ids --type --plus --minus --unit --lang --key --as --dir --json --table --help" ;;
    "retract "*) words=" --reason --as --dir --json --table --help" ;;
    "supersede "*) words=" --with --kind --reason --as --dir --json --table --help" ;;
    "epoch new"*) words=" --description --from --to --supersedes --as --dir --json --table --help" ;;
    "epoch list"*) words=" --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "epoch show"*) words=" --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "import "*) words=" --format --asserted-at --bundle --dry-run --rejects --verbose --ids --as --dir --json --table --help" ;;
    "export "*) words=" --log --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "resolve "*) words=" --all --subject --predicate --format --epoch --key --limit --lens --half-life --root --damping --prior --method --copying --uncalibrated --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "why "*) words=" --epoch --key --limit --lens --half-life --root --damping --prior --method --copying --uncalibrated --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "history "*) words=" --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "conflicts "*) words=" --rank --limit --lens --half-life --root --damping --prior --method --copying --uncalibrated --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "impact "*) words=" --without --direct --subject --predicate --threshold --limit --lens --half-life --root --damping --prior --method --copying --uncalibrated --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "watch "*) words=" --view --subject --predicate --threshold --since --once --count --interval --lens --half-life --root --damping --prior --method --copying --uncalibrated --dir --json --table --help" ;;
    "lens list"*) words=" --dir --json --table --help" ;;
    "view create"*) words=" --subject --predicate --epoch --no-wait --lens --half-life --root --damping --prior --method --copying --uncalibrated --as --dir --json --table --help" ;;
    "view list"*) words=" --dir --json --table --help" ;;
    "view show"*) words=" --dir --json --table --help" ;;
    "view rows"*) words=" --subject --at-least --timeout --dir --json --table --help" ;;
    "view refresh"*) words=" --no-wait --dir --json --table --help" ;;
    "view drop"*) words=" --as --dir --json --table --help" ;;
    "voices "*) words=" --predicate --epoch --sort --limit --lens --half-life --root --damping --prior --method --copying --uncalibrated --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "calibrate "*) words=" --truth --format --svg --lens --half-life --root --damping --prior --method --copying --uncalibrated --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "arena "*) words=" --lens --seed --format --svg --dir --json --table --help" ;;
    "log "*) words=" --since --limit --follow --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "show "*) words=" --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "cat "*) words=" --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "keys "*) words=" --as-of --valid-at --ballot-age --dir --json --table --help" ;;
    "key ") words=" new list show" ;;
    "epoch ") words=" new list show" ;;
    "lens ") words=" list" ;;
    "view ") words=" create list show rows refresh drop" ;;
    esac
    case $word in
    -*) ;;
    *) case $verb in arena | import) compopt -o default ;; esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _steme steme
