package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// An etcd conn is a client of its own, with a connection of its own.
type etcd struct {
	*clientv3.Client
	address string
	limit   time.Duration
}

func dialEtcd(address string, _ int) (conn, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{address}, Logger: zap.NewNop()})
	return &etcd{c, address, 10 * time.Second}, err
}

func (e *etcd) set(key string, value []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), e.limit)
	defer cancel()
	_, err := e.Put(ctx, key, string(value))
	return err
}

func (e *etcd) get(key string, stale bool) error {
	var options []clientv3.OpOption
	if stale {
		options = append(options, clientv3.WithSerializable())
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.limit)
	defer cancel()
	answer, err := e.Get(ctx, key, options...)
	if err == nil && len(answer.Kvs) == 0 {
		return errors.New("no such key")
	}
	return err
}

func (e *etcd) leads() (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), e.limit)
	defer cancel()
	status, err := e.Status(ctx, e.address)
	return err == nil && status.Leader == status.Header.MemberId, err
}

func (e *etcd) within(limit time.Duration) { e.limit = limit }
func (e *etcd) close()                     { e.Close() }

// watchEtcd has a client and thus a connection for each.
func watchEtcd(address, key string, heard func(n int)) error {
	c, err := dialEtcd(address, 0)
	if err != nil {
		return err
	}
	events := c.(*etcd).Watch(context.Background(), key, clientv3.WithCreatedNotify())
	if created := <-events; !created.Created {
		return fmt.Errorf("no watch: %w", created.Err())
	}
	go func() {
		for answer := range events {
			heard(len(answer.Events))
		}
	}()
	return nil
}

// fillEtcd sets keys by transactions of a hundred, of which etcd takes no more.
func fillEtcd(c conn, first, n int, value []byte) error {
	for end := first + n; first < end; first += 100 {
		var puts []clientv3.Op
		for i := first; i < min(first+100, end); i++ {
			puts = append(puts, clientv3.OpPut(keyOf(i), string(value)))
		}
		if _, err := c.(*etcd).Txn(context.Background()).Then(puts...).Commit(); err != nil {
			return err
		}
	}
	return nil
}
