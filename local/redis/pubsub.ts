// Publish and subscribe: messages go to whoever listens now, and nowhere else.

import { glob } from '../glob.ts'
import type { Bytes } from './bytes.ts'
import { type Commands, outsideScripts, reads } from './command.ts'

export interface Delivery {
  /** Present where a pattern matched and not a channel's own name. */
  pattern?: Bytes
  channel: Bytes
  message: Bytes
}

interface Subscription {
  name: Bytes
  matches?: (channel: Bytes) => boolean
  deliver: (delivery: Delivery) => void
}

export class Channels {
  #subscriptions = new Set<Subscription>()

  /** Returns what ends the subscription. */
  subscribe(name: Bytes, kind: 'channel' | 'pattern', deliver: Subscription['deliver']): () => void {
    const subscription = kind === 'pattern' ? { name, matches: glob(name), deliver } : { name, deliver }
    this.#subscriptions.add(subscription)
    return () => this.#subscriptions.delete(subscription)
  }

  /** Returns how many listeners got it. */
  publish(channel: Bytes, message: Bytes): number {
    let receivers = 0
    for (const { name, matches, deliver } of this.#subscriptions) {
      if (matches === undefined ? name !== channel : !matches(channel)) continue
      deliver(matches === undefined ? { channel, message } : { pattern: name, channel, message })
      receivers += 1
    }
    return receivers
  }

  listeners(kind: 'channel' | 'pattern'): Bytes[] {
    return [...this.#subscriptions]
      .filter(({ matches }) => (matches !== undefined) === (kind === 'pattern'))
      .map(({ name }) => name)
  }
}

export const pubsubCommands = (channels: Channels): Commands => ({
  PUBLISH: reads(3, (_, channel, message) => channels.publish(channel, message)),
  'PUBSUB|CHANNELS': outsideScripts(-2, (_, pattern = '*') =>
    [...new Set(channels.listeners('channel'))].filter(glob(pattern)),
  ),
  'PUBSUB|NUMSUB': outsideScripts(-2, (_, ...names) =>
    names.flatMap((name) => [name, channels.listeners('channel').filter((channel) => channel === name).length]),
  ),
  'PUBSUB|NUMPAT': outsideScripts(2, () => new Set(channels.listeners('pattern')).size),
})
