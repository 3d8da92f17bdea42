// Seeded random command lines over a few keys, so that types collide and options meet.
import type { Bytes } from '../../../local/redis/bytes.ts'

/** mulberry32: small, seeded, and good enough to pick words. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pools: Record<string, string[]> = {
  key: ['a', 'b', 'c', 'd', 'e', 'f', 'missing'],
  value: ['', 'x', '10', '-3', '1.5', 'text', '\xf0\x9f\x98\x80', 'nul\0', '9223372036854775807', '007'],
  member: ['m1', 'm2', 'm3', 'M', '', 'zz', '\xff'],
  integer: ['0', '1', '2', '-1', '-2', '5', '100', 'x', '1.5', '9223372036854775807', '-9223372036854775808'],
  index: ['0', '1', '2', '-1', '-2', '-100', '100', 'x'],
  float: ['1.5', '-0.25', '3', '1e3', '.5', 'x', '0', '0.125'],
  score: ['1', '2', '2.5', '-1', '0', 'inf', '-inf', 'x', '100'],
  scoreEdge: ['-inf', '+inf', '1', '(1', '2', '(2.5', '0', 'x', '(', '100'],
  memberEdge: ['-', '+', '[m1', '(m2', '[m3', '[', '[zz', 'm1'],
  pattern: ['*', 'm*', '?1', 'm[12]', '[^m]*', '\\m1'],
  seconds: ['100', '1000', '0', '-1', 'x', '9223372036854775807'],
  id: ['1-1', '2-1', '2-2', '5', '5-*', '7-0', '0-0', '0-*', '10-1', 'x', '1-x', '-'],
  edgeId: ['-', '+', '1', '2-1', '(2-1', '5', '(-', 'x', '0'],
  zero: ['0'],
  // Keys of their own, and steps that are exact in binary: Redis adds long doubles, whose noise shows where ours has none.
  sum: ['s', 't'],
  sums: ['u', 'w'],
}

/** Words in upper case are meant; lower-case ones name a pool; `a|b` is one of them; `?` is perhaps; `+` is once or more. */
const templates = `
SET key value ?NX|XX ?GET ?KEEPTTL|EX ?seconds; GET key; SETEX key seconds value; PSETEX key seconds value; SETNX key value; GETSET key value; GETDEL key
GETEX key ?EX|PERSIST ?seconds; MGET +key; MSET key value key value; MSET key value key; MSETNX key value key value; APPEND key value; STRLEN key
INCR key; DECR key; INCRBY key integer; DECRBY key integer; INCRBYFLOAT sum float; GETRANGE key index index; SETRANGE key index value
DEL +key; UNLINK key; EXISTS +key; TYPE key; EXPIRE key seconds ?NX|XX|GT|LT ?GT|LT|Q; TTL key; PERSIST key; KEYS pattern; DBSIZE; RENAME key key; RENAMENX key key; COPY key key ?REPLACE|Q; TOUCH +key
HSET key member value ?member ?value; HMSET key member value; HGET key member; HMGET key +member; HGETALL key; HDEL key +member; HEXISTS key member; HINCRBY key member integer
HINCRBYFLOAT sums member float; HKEYS key; HVALS key; HLEN key; HSETNX key member value; HSTRLEN key member; HSCAN key zero ?MATCH ?pattern; HSCAN key value
LPUSH key +value; RPUSH key +value; LPUSHX key value; RPUSHX key value; LPOP key ?integer; RPOP key ?integer; LRANGE key index index; LLEN key; LINDEX key index; LSET key index value
LTRIM key index index; LREM key index value; LINSERT key BEFORE|AFTER|Q value value; LMOVE key key LEFT|RIGHT LEFT|RIGHT|Q; RPOPLPUSH key key; LPOS key value ?RANK|COUNT|MAXLEN ?index
SADD key +member; SREM key +member; SMEMBERS key; SISMEMBER key member; SMISMEMBER key +member; SCARD key; SMOVE key key member; SINTER +key; SUNION +key; SDIFF +key
SINTERSTORE key +key; SUNIONSTORE key +key; SDIFFSTORE key +key; SINTERCARD index +key ?LIMIT ?index
ZADD key ?NX|XX ?GT|LT ?CH ?INCR score member ?score ?member; ZINCRBY key score member; ZREM key +member; ZSCORE key member; ZMSCORE key +member; ZCARD key; ZRANK key member; ZREVRANK key member
ZCOUNT key scoreEdge scoreEdge; ZLEXCOUNT key memberEdge memberEdge; ZRANGE key index index ?REV ?WITHSCORES; ZRANGE key scoreEdge scoreEdge BYSCORE ?REV ?WITHSCORES ?LIMIT ?index ?index
ZRANGE key memberEdge memberEdge BYLEX ?REV ?LIMIT ?index ?index; ZREVRANGE key index index ?WITHSCORES; ZRANGEBYSCORE key scoreEdge scoreEdge ?WITHSCORES; ZREVRANGEBYSCORE key scoreEdge scoreEdge
ZRANGEBYLEX key memberEdge memberEdge; ZREVRANGEBYLEX key memberEdge memberEdge; ZRANGESTORE key key index index ?REV; ZREMRANGEBYSCORE key scoreEdge scoreEdge; ZREMRANGEBYRANK key index index
ZREMRANGEBYLEX key memberEdge memberEdge; ZPOPMIN key ?index; ZPOPMAX key; ZSCAN key zero; ZUNION index +key ?WITHSCORES; ZINTER index +key ?WITHSCORES; ZDIFF index +key ?WITHSCORES
ZUNIONSTORE key index +key ?WEIGHTS ?score ?AGGREGATE ?MIN|MAX|SUM|Q; ZINTERSTORE key index +key ?AGGREGATE ?MIN|MAX; ZDIFFSTORE key index +key; ZINTERCARD index +key ?LIMIT ?index
XADD key ?NOMKSTREAM id member value; XADD key MAXLEN ?=|~ index id member value; XADD key MINID ?= id id member value ?member; XRANGE key edgeId edgeId ?COUNT ?index; XREVRANGE key edgeId edgeId
XLEN key; XDEL key +id; XTRIM key MAXLEN ?=|~ index; XTRIM key MINID id; XREAD ?COUNT ?index STREAMS key id; XREAD STREAMS key key id id; XREAD STREAMS key key id
EVAL script index key value; ECHO value; PING ?value; NOPE +member`

const scripts = [
  "return redis.call('get', KEYS[1])",
  "return redis.pcall('incr', KEYS[1])",
  'return {KEYS[1], ARGV[1], 1, 2.9, true}',
  "redis.call('set', KEYS[1], ARGV[1]) return redis.call('append', KEYS[1], 'x')",
  "local got = redis.call('hgetall', KEYS[1]) return #got",
  'return (tonumber(ARGV[1]) or 0) + 1',
]

const choices = templates.split(/[;\n]/).flatMap((line) => (line.trim() === '' ? [] : [line.trim().split(' ')]))

export function randomCommands(seed: number, size: number): Bytes[][] {
  const random = seeded(seed)
  const pick = <Item>(items: Item[]): Item => items[Math.floor(random() * items.length)] as Item
  const word = (token: string): Bytes => pick(token === 'script' ? scripts : (pools[token] ?? token.split('|')))
  return Array.from({ length: size }, () =>
    pick(choices).flatMap((token) => {
      if (token.startsWith('?')) return random() < 0.5 ? [word(token.slice(1))] : []
      if (token.startsWith('+'))
        return random() < 0.6 ? [word(token.slice(1))] : [word(token.slice(1)), word(token.slice(1))]
      return [word(token)]
    }),
  )
}
