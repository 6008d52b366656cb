/**
 * What a client of topics consists of. It is loaded when the first client is made: checksums, and what else the wire needs, take
 * a program some milliseconds at its start.
 *
 * @module
 */

import { clientConsumer } from "./consumer.ts";
import {
  producerSettings,
  type TopicConsumerOptions,
  type TopicProducerOptions,
} from "./options.ts";
import { Producer } from "./producer/producer.ts";
import type { ClientSettings } from "./settings.ts";
import type { TopicStatistics, Traffic } from "./statistics.ts";
import type { TopicConsumer, TopicProducer } from "../../protocol/topics/program/types.ts";
import { Cluster } from "./wire/cluster.ts";
import { Connections } from "./wire/connections.ts";
import { openTopicConnection } from "./wire/open.ts";

/** The parts of one client. */
export class Core {
  /** Asks servers. */
  readonly cluster: Cluster;
  readonly #settings: ClientSettings;
  readonly #users = new Set<{ close(): Promise<void> }>();

  /** Does not connect. */
  constructor(settings: ClientSettings) {
    this.#settings = settings;
    const traffic: Traffic = {
      requests: 0,
      failures: 0,
      retries: 0,
      bytesSent: 0,
      bytesReceived: 0,
    };
    const connections = new Connections({
      open: (address, signal) => openTopicConnection(address, settings, traffic, signal),
      perServer: settings.connections,
      idleMs: settings.idleMs,
    });
    this.cluster = new Cluster(connections, settings, traffic);
  }

  /** What it has done so far. */
  get statistics(): TopicStatistics {
    return { ...this.cluster.traffic, connections: this.cluster.open };
  }

  /** A new producer. */
  producer(options: TopicProducerOptions): TopicProducer {
    const settings = producerSettings(options, this.#settings);
    const producer: Producer = new Producer(this.cluster, settings, () => {
      this.#users.delete(producer);
    });
    this.#users.add(producer);
    return producer;
  }

  /** A new consumer. */
  consumer(topic: string, options: TopicConsumerOptions): TopicConsumer {
    const consumer: TopicConsumer = clientConsumer(
      this.cluster,
      topic,
      options,
      this.#settings,
      () => {
        this.#users.delete(consumer);
      },
    );
    this.#users.add(consumer);
    return consumer;
  }

  /** Closes all. Resolves when nothing is left. */
  async close(): Promise<void> {
    const users = [...this.#users];
    await this.cluster.close();
    // They end by what they are told.
    await Promise.all(users.map((user) => user.close().catch(() => {})));
  }
}
