package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Messages that may be under way at a time from one client, and their bytes, ...
const natsPending, natsPendingBytes = 1_000, 1 << 20

// ... and that a consumer asks for together.
const natsPull = 5_000

// A jetStream conn is a client of its own: a set is a message of a stream whose copies are on the disks of a majority.
type jetStream struct {
	*nats.Conn
	stream   jetstream.JetStream
	replicas int
	limit    time.Duration
	// Those that are awaited, the oldest first.
	acks []jetstream.PubAckFuture
}

func dialNats(address string, replicas int) (conn, error) {
	c, err := nats.Connect("nats://"+address, nats.Timeout(dialLimit), nats.NoReconnect())
	if err != nil {
		return nil, err
	}
	stream, err := jetstream.New(c, jetstream.WithPublishAsyncMaxPending(natsPending))
	return &jetStream{Conn: c, stream: stream, replicas: replicas, limit: 10 * time.Second}, err
}

func (j *jetStream) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), j.limit)
}

func (j *jetStream) set(_ string, value []byte) error {
	ctx, cancel := j.context()
	defer cancel()
	_, err := j.stream.Publish(ctx, *topic, value)
	return err
}

// get asks for what an account has.
func (j *jetStream) get(string, bool) error {
	ctx, cancel := j.context()
	defer cancel()
	_, err := j.stream.AccountInfo(ctx)
	return err
}

// batch sends messages as soon as no more than may be under way are: it waits for the oldest ones, not for its own.
func (j *jetStream) batch(_, n int, value []byte) error {
	if err := j.await(max(0, min(natsPending, natsPendingBytes/len(value))-n)); err != nil {
		return err
	}
	for range n {
		ack, err := j.stream.PublishAsync(*topic, value)
		if err != nil {
			return err
		}
		j.acks = append(j.acks, ack)
	}
	return nil
}

// await waits until no more than so many messages are under way.
func (j *jetStream) await(most int) error {
	timer := time.NewTimer(j.limit)
	defer timer.Stop()
	for ; len(j.acks) > most; j.acks = j.acks[1:] {
		select {
		case <-j.acks[0].Ok():
		case err := <-j.acks[0].Err():
			return err
		case <-timer.C:
			return errors.New("acknowledgements are missing")
		}
	}
	return nil
}

// leads creates the stream where there is none.
func (j *jetStream) leads() (bool, error) {
	ctx, cancel := j.context()
	defer cancel()
	stream, err := j.stream.Stream(ctx, *topic)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = j.stream.CreateStream(ctx, jetstream.StreamConfig{
			Name: *topic, Subjects: []string{*topic}, Replicas: j.replicas + 1, Storage: jetstream.FileStorage,
		})
	}
	if err != nil {
		return false, err
	}
	if j.replicas == 0 {
		return true, nil
	}
	cluster := stream.CachedInfo().Cluster
	return cluster != nil && cluster.Leader == j.ConnectedServerName(), nil
}

func (j *jetStream) readAll(atLeast int) (messages, bytes int, err error) {
	ctx, cancel := j.context()
	defer cancel()
	consumer, err := j.stream.OrderedConsumer(ctx, *topic, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return 0, 0, err
	}
	all := make(chan struct{})
	consuming, err := consumer.Consume(func(message jetstream.Msg) {
		if messages == atLeast {
			return
		}
		bytes += len(message.Data())
		if messages++; messages == atLeast {
			close(all)
		}
	}, jetstream.PullMaxMessages(natsPull))
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		consuming.Stop()
		<-consuming.Closed()
	}()
	select {
	case <-all:
		return messages, bytes, nil
	case <-time.After(time.Minute):
		return 0, 0, fmt.Errorf("%d of %d messages", messages, atLeast)
	}
}

// fillNats returns once all are acknowledged.
func fillNats(c conn, first, n int, value []byte) error {
	for end := first + n; first < end; first += natsPending {
		if err := c.(*jetStream).batch(first, min(natsPending, end-first), value); err != nil {
			return err
		}
	}
	return c.(*jetStream).await(0)
}

func (j *jetStream) within(limit time.Duration) { j.limit = limit }
func (j *jetStream) close()                     { j.Conn.Close() }
