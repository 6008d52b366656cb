package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Messages that may be under way at a time from one client, ...
const natsPending = 1_000

// ... and that a consumer asks for together.
const natsPull = 5_000

// A jetStream conn is a client of its own: a set is a message of a stream whose copies are on the disks of a majority.
type jetStream struct {
	*nats.Conn
	stream   jetstream.JetStream
	replicas int
	limit    time.Duration
}

func dialNats(address string, replicas int) (conn, error) {
	c, err := nats.Connect("nats://"+address, nats.Timeout(dialLimit), nats.NoReconnect())
	if err != nil {
		return nil, err
	}
	stream, err := jetstream.New(c, jetstream.WithPublishAsyncMaxPending(natsPending))
	return &jetStream{c, stream, replicas, 10 * time.Second}, err
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

// batch sends messages without waiting for each, and then waits for all of them.
func (j *jetStream) batch(_, n int, value []byte) error {
	acks := make([]jetstream.PubAckFuture, n)
	for i := range acks {
		var err error
		if acks[i], err = j.stream.PublishAsync(*topic, value); err != nil {
			return err
		}
	}
	timer := time.NewTimer(j.limit)
	defer timer.Stop()
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
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

// fillNats sends messages as many at a time as may be under way.
func fillNats(c conn, first, n int, value []byte) error {
	for end := first + n; first < end; first += natsPending {
		if err := c.(*jetStream).batch(first, min(natsPending, end-first), value); err != nil {
			return err
		}
	}
	return nil
}

func (j *jetStream) within(limit time.Duration) { j.limit = limit }
func (j *jetStream) close()                     { j.Conn.Close() }
