#!/bin/bash
# Workers are killed -9 at random moments while 50 files of mixed sizes are on their way: all get done, each record once,
# no dead letter. 10 kills, LONG=1: 30 and ten times the records.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/workers.sh
. "$TESTS/workers.sh"
setup
kills=$([ -n "${LONG:-}" ] && echo 30 || echo 10)
size=$([ -n "${LONG:-}" ] && echo 20000 || echo 2000)
export CSVP_VISIBILITY=1s
csvp-admin up -q

# Keys that come again in later files, and the number of the record in all of them.
awk -v seed="$SEED" -v size="$size" 'BEGIN {
	srand(seed)
	for (file = 1; file <= 25; file++) {
		name = sprintf("%02d.csv", file)
		print "id,record" >name
		for (i = int(size * rand() * rand()); i >= 0; i--)
			printf "%d,%d\n", int(rand() * size * 5), ++record >>name
		close(name)
	}
}'
records=$(awk 'FNR > 1' ./*.csv | grep -c '')

sql 'CREATE TABLE public.again (deliveries int)' \
	"CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.again VALUES (NEW.deliveries); RETURN NEW; END'" \
	'CREATE TRIGGER again AFTER UPDATE OF deliveries ON csvp.chunk FOR EACH ROW
		WHEN (NEW.deliveries > 1 AND NEW.deliveries > OLD.deliveries) EXECUTE FUNCTION public.again()'

# Two of each stage with two threads, small chunks: a kill takes what two threads hold.
enqueue()
{
	csvp-upload -q --enqueue -d keyed -k id "$@" ./*.csv >>ids
	csvp-upload -q --enqueue -d rows "$@" ./*.csv >>ids
}
enqueue
jobs=1
crew one -q -j2
crew two -q -j2
hits=0
while [ "$hits" -lt "$kills" ]; do
	read -ra victims <<<"$(pids one) $(pids two)"
	sleep "0.$((RANDOM % 6))"
	if settled; then
		enqueue --force
		jobs=$((jobs + 1))
	fi
	kill -KILL "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null || continue
	hits=$((hits + 1))
done
WAIT_SECONDS=300 wait_until settled || csvp-status
is "$(sql "SELECT count(*), count(*) FILTER (WHERE derived <> 'done'), sum(pending + running + loaded + failed) FROM csvp.job_status")" \
	"$((50 * jobs))|0|0" "after $kills kills all jobs are done"
is "$(sql "SELECT count(*) FROM csvp.message")" 0 'no dead letter, and no other message'
is "$(sql "SELECT sum(records), sum(inserted + updated + unchanged + superseded + rejected) FROM csvp.job_status")" \
	"$((2 * records * jobs))|$((2 * records * jobs))" 'the books close'
is "$(sql "SELECT count(*), count(DISTINCT record) FROM rows")" "$((records * jobs))|$records" 'each record is there once'
is "$(sql "SELECT md5(string_agg(id || ',' || record, E'\n' ORDER BY id)) FROM keyed")" \
	"$(awk -F, 'FNR > 1 { last[$1] = $2 } END { for (id in last) print id "," last[id] }' ./*.csv | sort -n | head -c -1 | md5sum | cut -d' ' -f1)" \
	'the last record of each key is its row'
echo "# chunks delivered again: $(sql "SELECT coalesce(string_agg(n || ' ' || deliveries || ' times', ', '), 'none') FROM
	(SELECT deliveries, count(*) AS n FROM public.again GROUP BY 1 ORDER BY 1) g")"
term one two
is "$CODES" '143 143' 'csvp-run --workers has lived through it'
matches "$(cat one.err two.err)" 'was killed by signal 9; it is started again in' 'and says what it did'
expect_exit 0 'csvp-admin verify: objects, ledger, tables and index agree' csvp-admin verify
