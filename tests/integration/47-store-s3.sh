#!/bin/bash
# Uploads in an S3 store: the pipeline over them, and an upload that goes on where it was killed.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
CSVP_DATABASE_URL=$(csvp-admin up 2>/dev/null)
export CSVP_DATABASE_URL
with_services minio

expect_exit 0 'create-index where there is no bucket yet' csvp-admin create-index
is "$(cat err)" '' 'makes it, silently'
expect_exit 0 'a file is stored, split, loaded and searchable' csvp-run -q -d navaids -k id "$DATA/navaids.csv"
is "$(sql 'SELECT count(*) FROM navaids')" 11008 'every record is a row'
expect_exit 0 'the books close' csvp-admin verify -q
csvp-upload -q -d piped - <"$DATA/countries.csv" | csvp-split | csvp-load | csvp-index >refs
is "$(sql 'SELECT count(*) FROM piped')" 249 'a pipe of unknown length, too'
expect_exit 0 'again: the bytes are known' csvp-upload -d navaids -k id "$DATA/navaids.csv"
matches "$(cat err)" 'nothing to do' 'which it says'
expect_exit 77 'a wrong secret' env AWS_SECRET_ACCESS_KEY=wrong csvp-upload -q -d wrong "$DATA/countries.csv"
matches "$(cat err)" '^csvp-upload: store s3://csvp/uploads: HTTP 403, forbidden: SignatureDoesNotMatch' \
	'is named with its store, and as the server names it'
expect_exit 77 'a wrong key' env AWS_ACCESS_KEY_ID=wrong csvp-status -q --rejects 1
matches "$(cat err)" 'HTTP 403, forbidden: InvalidAccessKeyId' 'is named, too, where nothing is written'

# --- an upload killed at half ---
mib=$([ -n "${LONG:-}" ] && echo 300 || echo 48)
python3 -c "
import random
random.seed($SEED)
print('id,text')
for i in range($mib * 1024):
    print('%d,%s' % (i, '%0990x' % random.getrandbits(3960)))" >big.csv
size=$(stat -c %s big.csv)
mkdir proxy
port=${AWS_ENDPOINT_URL_S3##*:}
echo $((size / 2)) >proxy/limit
exec {hold}> >(exec python3 "$TESTS/proxy.py" "$port" proxy)
wait_until [ -e proxy/port ]
AWS_ENDPOINT_URL_S3=http://127.0.0.1:$(cat proxy/port)
sent()
{
	cat proxy/sent
}
held()
{
	[ "$(sent)" -ge "$(cat proxy/limit)" ]
}

csvp-upload -q -d big -k id big.csv >first &
upload=$!
wait_until held
kill -KILL "$upload"
wait "$upload" || true
rm proxy/limit
is "$(cat first)" '' 'a killed upload has named no job'
parts=$(sql 'SELECT count(*) FROM csvp.upload_part')
check "what the store has is in the ledger: $parts parts" [ "$parts" -ge 1 ]
kept=$(sql 'SELECT sum(length) FROM csvp.upload_part')

# An upload of another file into the dataset leaves it alone.
expect_exit 0 'another file meanwhile' csvp-upload -q -d big "$DATA/countries.csv"
csvp-admin cancel -q "$(cat out)"
is "$(sql 'SELECT count(*) FROM csvp.upload_part')" "$parts" 'and the unfinished one is as it was'

before=$(sent)
expect_exit 0 'the same command again' csvp-upload -d big -k id big.csv
matches "$(cat err)" "goes on, $kept bytes are stored" 'goes on where it was'
rest=$(($(sent) - before))
check "only the rest was sent: $rest of $size bytes" [ "$rest" -le $((size - kept + 100000)) ]
check 'which is not all that much less than it should be' [ "$rest" -ge $((size - kept)) ]
is "$(sql "SELECT encode(sha256, 'hex') FROM csvp.job WHERE id = $(cat out)")" "$(sha256sum big.csv | cut -d ' ' -f 1)" \
	'its SHA-256 is that of the file'
is "$(sql 'SELECT count(*) FROM csvp.upload')" 0 'nothing is unfinished any more'
expect_exit 0 'what was stored loads' sh -c "csvp-split $(cat out) | csvp-load | csvp-index"
is "$(sql 'SELECT count(*), sum(length(text)) FROM big')" "$((mib * 1024))|$((mib * 1024 * 990))" 'as it was'

# A file that has changed meanwhile is another file: nothing of the first is used.
echo $(($(sent) + size / 2)) >proxy/limit
sed 's/^0,/00,/' big.csv >other.csv
csvp-upload -q -d other other.csv >second &
upload=$!
wait_until held
kill -KILL "$upload"
wait "$upload" || true
rm proxy/limit
printf '9' | dd of=other.csv bs=1 seek=9 conv=notrunc status=none
expect_exit 0 'a file that was changed after the kill' csvp-upload -q -d other other.csv
is "$(sql "SELECT encode(sha256, 'hex') FROM csvp.job WHERE id = $(cat out)")" \
	"$(sha256sum other.csv | cut -d ' ' -f 1)" 'is stored as it is now'

# A server that knows no checksums of parts compares a SHA-256.
echo x-amz-checksum-crc32c >proxy/hidden
before=$(sent)
expect_exit 0 'a server without checksums' csvp-upload -q -d simple --force big.csv
rm proxy/hidden
check "both parts that were under way before it was known are sent again: $(($(sent) - before - size)) bytes" \
	[ "$(($(sent) - before))" -ge $((size + 2 * 8 * 1024 * 1024)) ]
expect_exit 0 'has all of it' csvp-admin verify -q "$(csvp-split <out | csvp-load | csvp-index | sed 's,/.*,,;q')"

csvp-upload -q -d bounded --force big.csv >bounded.id &
upload=$!
peak=0
while now=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$upload/status" 2>/dev/null) && [ -n "$now" ]; do
	peak=$now
	sleep 0.02
done
wait "$upload"
under_san 'its memory is bounded' || check "its memory is bounded: $peak kB" [ "$peak" -le 65536 ] && [ "$peak" -gt 0 ]
exec {hold}>&-
