#!/bin/bash
# Workers: what is enqueued is done without another command, soon; a message is kept while it is worked on; what came
# out of nothing, or belongs to nothing any more, is no reason to stop or to spin; --once; the queues end empty.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "${0%/*}/../session.sh"
# shellcheck source=tests/workers.sh
. "${0%/*}/../workers.sh"
setup
csvp-admin up -q

messages()
{
	sql 'SELECT count(*) FROM csvp.message'
}

# file NAME RECORDS [FIRST]
file()
{
	{
		echo 'id,name'
		seq -f '%.0f,a name' "${3:-1}" $((${3:-1} + $2 - 1))
	} >"$1"
}

# A plain pipeline tells nobody.
file plain.csv 10
expect_exit 0 'a plain pipeline' csvp-run -q -d plain -k id plain.csv
is "$(messages)" 0 'a plain pipeline leaves the queues empty'

# One message at a time, and no worker that stays.
for stage in split load index; do
	expect_exit 75 "csvp-$stage --once without a message: 75" "csvp-$stage" --worker --once
	expect_exit 64 "csvp-$stage --once without --worker" "csvp-$stage" --once 1
	expect_exit 64 "csvp-$stage --worker with a reference" "csvp-$stage" --worker 1
done
file once.csv 3000
expect_exit 0 'upload --enqueue' csvp-upload -q --enqueue -d once -k id once.csv
job=$(cat out)
is "$(sql 'SELECT queue, reference FROM csvp.message')" "csvp-split|$job" 'upload --enqueue tells split'
expect_exit 0 'csvp-split --once' csvp-split -q --chunk-bytes 10k --worker --once
is "$(sql 'SELECT DISTINCT queue FROM csvp.message')" csvp-load 'split tells load'
chunks=$(messages)
check 'of several chunks' test "$chunks" -ge 3
expect_exit 0 'csvp-load --once' csvp-load -q --worker --once
is "$(messages) $(sql "SELECT count(*) FROM csvp.chunk WHERE job = $job AND state = 'loaded'")" "$((chunks - 1)) 1" \
	'csvp-load --once takes one message'
is "$(cat out)" '' 'a worker prints no reference'
for ((i = 1; i < chunks; i++)); do
	csvp-load -q --worker --once
done
is "$(sql 'SELECT queue, count(*) FROM csvp.message GROUP BY 1')" "csvp-index|$chunks" \
	'load tells index of all chunks once the key is built'
for ((i = 0; i < chunks; i++)); do
	csvp-index -q --worker --once
done
is "$(messages) $(sql "SELECT derived FROM csvp.job_status WHERE id = $job")" '0 done' 'one by one it gets done, and the queues are empty'

# What cannot be done.
printf 'id,name\n1,"open\n' >bad.csv
csvp-upload -q --enqueue -d bad bad.csv >/dev/null
expect_exit 65 'a file that is no CSV: --once tells it' csvp-split --worker --once
matches "$(cat err)" 'bad.csv' 'and says where'
expect_exit 0 'told once more, nobody does it again' csvp-split --worker --once
is "$(messages) $(cat err)" '0 ' 'and the message is gone'

# A dataset is dropped while its messages are under way, and somebody sends nonsense.
csvp-upload -q --enqueue -d gone -k id once.csv --force >/dev/null
csvp-split -q --chunk-bytes 10k --worker --once
check 'messages of a dataset' test "$(messages)" -gt 1
csvp-admin dataset drop gone >/dev/null 2>&1 || csvp-admin dataset drop --yes gone >/dev/null
sql "INSERT INTO csvp.message (queue, reference, body) SELECT 'csvp-' || q, 'x' || g, b FROM (VALUES
	('{\"job\":4711}'), ('{\"job\":4711,\"chunk\":3}'), ('nonsense'), ('{\"job\":$job,\"chunk\":999}')) AS v (b),
	generate_series(1, 3) g, unnest(ARRAY['split', 'load', 'index']) q ON CONFLICT DO NOTHING"
crew w -j2
wait_until settled
is "$(messages)" 0 'messages of a dropped dataset, of no job and of nobody are removed'
check "each with a word at most ($(grep -c '' w.err) lines)" test "$(grep -c '' w.err)" -le 60

# From now on it runs by itself.
file by-itself.csv 20000
job=$(csvp-upload -q --enqueue -d itself -k id by-itself.csv)
expect_exit 0 'done without another command' csvp-status --wait --timeout 60s "$job"
is "$(csvp-search -d itself --count 'name')" 20000 'and searchable'
wait_until settled
is "$(messages)" 0 'workers leave the queues empty'

# The same file again lets them go on with what had failed.
printf 'id,name\n1,ann\n' >key.csv
job=$(csvp-upload -q --enqueue -d key -k nope key.csv)
expect_exit 65 'a key that the file does not have' csvp-status -q --wait --timeout 60s "$job"
is "$(csvp-upload -q --enqueue -d key -k id key.csv)" "$job" 'the same file with its key is the same job'
expect_exit 0 'and is split' csvp-status -q --wait --timeout 60s "$job"
sql "UPDATE csvp.chunk SET state = 'failed', error = 'it broke' WHERE job = $job" >/dev/null
expect_exit 65 'a chunk that workers gave up' csvp-status -q --wait --timeout 60s "$job"
is "$(csvp-upload -q --enqueue -d key -k id key.csv)" "$job" 'its file again is the same job'
expect_exit 0 'and the chunk is done' csvp-status -q --wait --timeout 60s "$job"

# How long a message waits for an idle worker: from its sent_at, before the commit, to the counted delivery.
sql 'CREATE TABLE public.probe (milliseconds float8)' \
	"CREATE FUNCTION public.probe() RETURNS trigger LANGUAGE plpgsql AS \$\$
	DECLARE row jsonb := to_jsonb(NEW);
	BEGIN
		INSERT INTO public.probe SELECT extract(epoch FROM clock_timestamp() - sent_at) * 1000 FROM csvp.message
			WHERE receipt IS NOT NULL AND (queue, reference) = (
			CASE NEW.state WHEN 'stored' THEN 'csvp-split' WHEN 'pending' THEN 'csvp-load' ELSE 'csvp-index' END,
			CASE NEW.state WHEN 'stored' THEN row->>'id' ELSE concat_ws('/', row->>'job', row->>'number') END);
		RETURN NEW;
	END\$\$" \
	'CREATE TRIGGER probe AFTER UPDATE OF deliveries ON csvp.chunk FOR EACH ROW
		WHEN (NEW.deliveries > OLD.deliveries) EXECUTE FUNCTION public.probe()' \
	'CREATE TRIGGER probe AFTER UPDATE OF deliveries ON csvp.job FOR EACH ROW
		WHEN (NEW.deliveries > OLD.deliveries) EXECUTE FUNCTION public.probe()'
for ((i = 1; i <= 17; i++)); do
	file one.csv 10 "$i"
	csvp-status -q --wait --timeout 60s "$(csvp-upload -q --enqueue -d itself one.csv)" >/dev/null
done
is "$(sql 'SELECT count(*) FROM public.probe')" 51 '51 messages were measured'
median=$(sql 'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds)::numeric(9, 1) FROM public.probe')
echo "# message to work: median $median ms, most $(sql 'SELECT max(milliseconds)::numeric(9, 1) FROM public.probe') ms"
under_san 'an idle worker starts within 100 ms of the message' ||
	check "an idle worker starts within 100 ms of the message (median $median)" awk -v t="$median" 'BEGIN { exit t > 100 }'
sql 'DROP FUNCTION public.probe CASCADE' 2>/dev/null

# One line, when asked.
kill -USR1 "${STARTED[w]}"
told()
{
	grep -c 'waiting+at work' w.err
}
wait_until told >/dev/null
matches "$(grep -a 'waiting+at work' w.err)" \
	'^csvp-run: csvp-split [0-9]+ up [0-9]+ s .*, csvp-load .*, csvp-index .*split 0\+0, load 0\+0, index 0\+0, dead 0\+0$' \
	'SIGUSR1: workers and queues in one line'
term w
is "$CODES" 143 'csvp-run --workers ends by its signal'

# A chunk that takes longer than the visibility stays hidden.
export CSVP_VISIBILITY=1s
job=$(csvp-upload -q --enqueue -d itself --force by-itself.csv)
csvp-split -q --worker --once
say lock 'BEGIN' 'LOCK TABLE itself IN SHARE MODE'
worker one load -q -j1
worker two load -q -j1
wait_until holding "$job"
kept()
{
	[ "$(sql "SELECT visible_at > sent_at + interval '4 s' FROM csvp.message WHERE queue = 'csvp-load'")" = t ]
}
wait_until kept
is "$(sql "SELECT received, (SELECT max(deliveries) FROM csvp.chunk WHERE job = $job)
	FROM csvp.message WHERE queue = 'csvp-load'")" '1|1' \
	'a chunk that takes longer than the visibility is not given out again'
bye lock
loaded()
{
	[ "$(sql "SELECT count(*) FROM csvp.chunk WHERE job = $job AND state <> 'loaded'")" = 0 ]
}
wait_until loaded
term one two
is "$CODES" '143 143' 'workers end by their signal'
is "$(cat one.err two.err)" '' 'and are silent'
csvp-index -q "$job" >/dev/null
expect_exit 0 'csvp-admin verify' csvp-admin verify
