// Command lines chosen by hand: every error text and corner that random words would hardly meet.
import type { Bytes } from '../../../local/redis/bytes.ts'

/** Words are split at spaces; a word in double quotes is read as JSON. */
const words = (line: string): Bytes[] =>
  [...line.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)].map(([word]) =>
    word.startsWith('"') ? (JSON.parse(word) as string) : word,
  )

const scripts = [
  'return foo',
  'foo = 1',
  "return redis.call('get')",
  "return redis.call('nope')",
  "return redis.call('get', 'list')",
  "return redis.pcall('get', 'list')",
  "return redis.pcall('get', 'list').err",
  'return redis.call()',
  'return redis.call({})',
  "return redis.call('get', true)",
  "return redis.call('incr', 'text')",
  "return redis.call('eval', 'return 1', 0)",
  "return redis.call('multi')",
  "return redis.call('subscribe', 'x')",
  "error('boom')",
  "\nerror('on line 2')",
  "error({err = 'MY bad'})",
  "return {err = 'My Err'}",
  "return redis.error_reply('-MYERR hello')",
  "return redis.error_reply('hello')",
  "return redis.status_reply('FINE')",
  'return 3.99',
  'return -3.99',
  'return 2^31 + 1',
  'return 2147483647 + 1 + tonumber("2147483647") * 2',
  'return {1, 2, nil, 4}',
  "return {1, {2, 'x'}, true, false}",
  'return',
  'string.foo = 1',
  'math.floor = nil',
  '_G.x = 1',
  "return tostring(10 / 2) .. ':' .. 1e15 .. ':' .. 2^53 .. ' ' .. 0.1 .. ' ' .. 1 / 3",
  "return 'a' .. 1 .. 2.0",
  'return 1 / 0',
  "return redis.sha1hex('')",
  "return {redis.call('set', 'k', 10 / 3), redis.call('get', 'k')}",
  "return {redis.call('set', 'k', 2^53), redis.call('get', 'k')}",
  "return tostring(nil .. 'x')",
  "return cjson.encode({1, 2, {x = 1}, 'a/b\"\\\\ \\1 é', 1.5, 1e15, true})",
  'return cjson.encode({[1] = 1, [1000] = 2})',
  'return cjson.encode({a = {}})',
  'return cjson.encode(function() end)',
  'return cjson.encode(cjson.decode(\'[1, 2, {"a": [true, null, "\\\\u00e9"]}]\'))',
  'return cjson.decode(\'{"a":null}\').a == cjson.null',
  'return cjson.encode(nil)',
  'return unpack({1, 2, 3})',
  'return {unpack({1, 2, 3})}',
  'return table.getn({1, 2})',
  "return loadstring('return 7')()",
  'return math.pow(2, 10)',
  "return string.format('%d %5d|%-5d|%05d %s %.2f %%', 1700000000000.7, 42, 42, 42, 10 / 2, 1.25)",
  'return {pcall(function() return foo end)}',
  "local ok, problem = pcall(function() return redis.call('get', 'list') end) return {type(problem), problem}",
  "return print('x')",
  'return os.time()',
  "return tonumber('0x10') + 0xFFFFFFFF",
  "return type(redis.call('get', 'absent'))",
  "return redis.call('set', 'a', 'b')['ok']",
  'local all = {} for i = 1, 3 do all[#all + 1] = i * 2 end return all',
  "return table.concat({1, 2.5, 10 / 2}, ',')",
  'return #ARGV',
  'return redis.replicate_commands()',
  '#!lua\nreturn 1',
  "#!lua flags=no-writes\nreturn redis.call('set', 'a', 'b')",
  '#!lua flags=bad\nreturn 1',
  '#!js\nreturn 1',
  '#!lua name=x\nreturn 1',
  '#!lua',
]

const lines = `
SET text v; RPUSH list a b c; HSET hash f 1 g 2; SADD set a b; ZADD zset 1 a 2 b 3 c; XADD stream 1-1 f v; XADD stream 2-1 f v
FOO; foo a b; ""; GET; SET a; SET a b c; SET a b EX; SET a b EX 0; SET a b EX x; SET a b EX 1 PX 1; SET a b NX XX; SET a b KEEPTTL EX 1; SET a b PXAT 1; GET a; SET a b EX 9223372036854775807
SET list x GET; SET a 1 EX 100; TTL a; SET a 2 KEEPTTL; TTL a; SET a 3; TTL a; GETEX a EX 100; TTL a; GETEX a PERSIST; TTL a; GETEX a FOO; GETEX a EX; GETEX a EX 0; GETEX a PERSIST EX; GETEX absent EX 10
EXPIRE a 100 NX XX; EXPIRE a 100 GT LT; EXPIRE a 100 FOO; EXPIRE a x; EXPIRE a 100 GT; EXPIRE a 100 LT; TTL a; EXPIRE a 200 XX; TTL a; EXPIREAT a 1; EXISTS a; PEXPIREAT text 99999999999999; PEXPIRETIME text; EXPIRETIME text; PERSIST text; EXPIRE text 9223372036854775807; SETEX a 0 v; PSETEX a -1 v; SETEX a x v
INCR text; SET n 9223372036854775807; INCR n; INCRBY n 1; DECRBY n -9223372036854775808; SET n -9223372036854775808; DECR n; SET n " 1"; INCR n; SET n 0.1; INCRBYFLOAT n 0.2; INCRBYFLOAT n -0.3; INCRBYFLOAT n 5.0e3; INCRBYFLOAT n inf; INCRBYFLOAT n x; INCRBYFLOAT text 1; SET n 3.0e3; INCRBYFLOAT n 200
SETRANGE absent 5 ""; SETRANGE padded 3 x; GET padded; SETRANGE padded -1 x; SETRANGE padded 536870912 x; GETRANGE text -3 -1; APPEND fresh abc; STRLEN fresh; GETRANGE fresh 0 0; GETRANGE fresh 2 1
HSET hash f; HSET hash f 1 g; HINCRBY hash f x; HSET hash t text; HINCRBY hash t 1; HINCRBYFLOAT hash t 1; HINCRBYFLOAT hash f 0.1; HINCRBYFLOAT hash f x; HGET list f; HGETALL absent; HSCAN hash x; HSCAN hash 0 COUNT 0; HSCAN hash 0 FOO; HSCAN hash 0 MATCH t; HRANDFIELD absent; HRANDFIELD absent 2; HRANDFIELD hash 0; HRANDFIELD hash x; HRANDFIELD hash 1 FOO; HINCRBY hash big 9223372036854775807; HINCRBY hash big 1
LPOP list -1; LPOP list 0; LPOP absent 1; LPOP list x; LSET absent 0 x; LSET list 9 x; LSET list x y; LINSERT list FOO a b; LINSERT list BEFORE nope b; LPOS list a RANK 0; LPOS list a COUNT -1; LPOS list a MAXLEN -1; LPOS list a COUNT 0; LPOS list a RANK -1; LPOS list z COUNT 0; LMOVE list list FOO LEFT; LMOVE list text LEFT LEFT; LREM list 0 zz; LPOP list 1 2; LRANGE list x 1
SINTERCARD 0 set; SINTERCARD x set; SINTERCARD 2 set; SINTERCARD 1 set LIMIT -1; SINTERCARD 1 set FOO; SPOP set -1; SPOP set 1 2; SPOP absent; SPOP absent 1; SRANDMEMBER absent; SRANDMEMBER absent 2; SRANDMEMBER set x; SMOVE set list a; SINTER set list; SPOP set 0
ZADD zset NX XX 1 a; ZADD zset GT LT 1 a; ZADD zset NX GT 1 a; ZADD zset INCR 1 a 2 b; ZADD zset x a; ZADD zset 1; ZADD zset 1 a 2; ZADD zset nan a; ZADD zset INCR 1 a; ZADD zset NX INCR 1 a; ZADD zset XX INCR 1 nope; ZADD zset CH 9 a 8 new; ZADD inf inf a; ZADD inf INCR -inf a; ZSCORE inf a; ZINCRBY zset x a
ZRANGE zset 0 -1 LIMIT 0 1; ZRANGE zset - + BYLEX WITHSCORES; ZRANGE zset a b BYSCORE; ZRANGE zset a b BYLEX; ZRANGE zset 0 -1 FOO; ZRANGEBYSCORE zset (1 x; ZRANGEBYLEX zset x y; ZRANGE zset 0 -1 BYSCORE BYLEX; ZREVRANGE zset 0 -1 REV; ZRANGESTORE out zset 0 -1 WITHSCORES; ZRANGESTORE out zset 0 0; ZRANGE zset (1 +inf BYSCORE LIMIT 1 -1; ZRANGE zset 1 2 BYSCORE LIMIT 1; ZRANGEBYSCORE zset -inf +inf LIMIT 1 1 WITHSCORES; ZRANGE absent x y
ZPOPMIN zset -1; ZPOPMIN zset 0; ZPOPMIN zset 1 2; ZPOPMAX absent; ZUNION 0 zset; ZUNION x zset; ZUNION 5 zset; ZUNIONSTORE out 2 zset set WEIGHTS 2 3 AGGREGATE MAX; ZRANGE out 0 -1 WITHSCORES; ZUNIONSTORE out 1 zset WEIGHTS x; ZUNIONSTORE out 1 zset AGGREGATE FOO; ZUNIONSTORE out 1 zset WITHSCORES; ZINTERCARD 0 zset; ZINTERCARD 1 zset LIMIT -1; ZDIFF 2 zset set WITHSCORES; ZDIFF 1 zset WEIGHTS 1; ZUNION 1 list; ZRANDMEMBER absent; ZRANDMEMBER absent 1; ZRANDMEMBER zset x; ZMSCORE absent a b; ZRANK zset nope; ZREVRANK zset b
XADD stream 1-1 f v; XADD stream 0-0 f v; XADD stream x f v; XADD stream * f; XADD stream 2-* f v; XADD stream 1-* f v; XADD stream 3 f v; XADD absent NOMKSTREAM 1-1 f v; XADD stream NOMKSTREAM; XADD stream MAXLEN -1 * f v; XADD stream MAXLEN x * f v; XADD stream MAXLEN 5 LIMIT 1 * f v; XADD stream MAXLEN ~ 5 LIMIT -1 * f v; XADD stream MAXLEN = 2 9-1 f v; XRANGE stream - +; XADD stream MAXLEN 1 MINID 1 10-1 f v; XADD stream 18446744073709551615-18446744073709551615 f v; XADD stream * f v; XADD stream 18446744073709551616-1 f v
XRANGE stream - + COUNT 0; XRANGE stream - + COUNT -1; XRANGE stream - + FOO; XRANGE stream x +; XRANGE stream (- +; XRANGE stream - (+; XRANGE stream (18446744073709551615-18446744073709551615 +; XRANGE stream - (0-0; XRANGE stream (9-1 +; XREVRANGE stream + - COUNT 1; XRANGE absent - +; XREAD STREAMS stream 0; XREAD STREAMS stream; XREAD COUNT 1 STREAMS stream 0; XREAD COUNT x STREAMS stream 0; XREAD FOO STREAMS stream 0; XREAD STREAMS stream $; XREAD STREAMS stream x; XREAD STREAMS list 0; XREAD COUNT 1 2; XREAD STREAMS a b 0
XDEL stream x; XDEL stream 9-1 9-2; XDEL absent 1-1; XTRIM stream FOO 1; XTRIM stream MAXLEN 0; XLEN stream; EXISTS stream; XADD stream 1-1 f v; XTRIM absent MAXLEN 1; XSETID stream 20-1; XSETID absent 1-1; XSETID stream x; XTRIM stream MAXLEN 5 FOO; XTRIM stream MAXLEN; TYPE stream
COPY text text; COPY text list; COPY text list REPLACE; TYPE list; COPY absent x; COPY text y DB 0; COPY text y DB x; COPY text z FOO; RENAME absent x; RENAMENX absent x; RENAME text text; SCAN x; SCAN 0 COUNT 0; SCAN 0 FOO; SCAN 0 MATCH; SCAN 0 COUNT x; FLUSHDB FOO; FLUSHALL ASYNC x; TYPE absent; RANDOMKEY x; DEL list; RPUSH list a b c
PING; PING hi; PING a b; ECHO "\\u0000é"; SCRIPT; SCRIPT foo; SCRIPT LOAD a b; SCRIPT EXISTS; SCRIPT EXISTS x; SCRIPT FLUSH x; SCRIPT FLUSH SYNC ASYNC; SCRIPT LOAD "return 1"; EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0; EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0; EVALSHA abc 0; EVAL "return 1" x; EVAL "return 1" -1; EVAL "return 1" 2 a; EVAL_RO "return redis.call('set','a','b')" 0; EVALSHA_RO abc 0; EVAL "return 1"; PUBLISH a b; PUBSUB; PUBSUB FOO; PUBSUB NUMPAT; PUBSUB NUMSUB a; PUBSUB CHANNELS; PUBLISH a; FLUSHALL; DBSIZE; RANDOMKEY; SCAN 0; KEYS *`

/** 250 entries in three lots of 100: `~` may drop whole lots only. */
const trimming: Bytes[][] = [
  ...Array.from({ length: 250 }, (_, at) => ['XADD', 'long', `${at + 1}-0`, 'f', 'v']),
  ['XADD', 'long', 'MAXLEN', '~', '230', '251-0', 'f', 'v'],
  ['XLEN', 'long'],
  ['XTRIM', 'long', 'MAXLEN', '~', '10', 'LIMIT', '50'],
  ['XTRIM', 'long', 'MAXLEN', '~', '10', 'LIMIT', '100'],
  ['XTRIM', 'long', 'MINID', '~', '240'],
  ['XTRIM', 'long', 'MINID', '240'],
  ['XLEN', 'long'],
]

export const directedCommands: Bytes[][] = [
  ['RPUSH', 'list', 'a'],
  ['SET', 'text', 'v'],
  ...scripts.map((script) => ['EVAL', Buffer.from(script).toString('latin1'), '0']),
  ['FLUSHALL'],
  ...lines.split(/;|\n/).flatMap((line) => (line.trim() === '' ? [] : [words(line.trim())])),
  ...trimming,
]
