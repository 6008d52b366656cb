package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// So long without a beat, and it is over.
const leaseLimit = 10 * time.Second

// How many beats are under way at a time.
const beating = 64

// A lease ends by itself when it is not told often enough that its client lives.
type lease interface {
	beat() error
	close()
}

// beats begins leases one after the other, and then lets every client beat once a second. A time counts from when the
// beat was due.
func beats(t target) (figures, error) {
	who, err := t.leader()
	if err != nil {
		return nil, err
	}
	leases := make([]lease, *clients)
	began := time.Now()
	for i := range leases {
		if leases[i], err = t.lease(t.addresses[who], i); err != nil {
			return nil, err
		}
		defer leases[i].close()
	}
	made := time.Since(began)

	start := time.Now()
	from := start.Add(*warmUp)
	used := cpuBetween(t.pids, from)
	due := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second / time.Duration(len(leases))) }
	work := make(chan int, *clients)
	lists := make([][]float64, beating)
	failures := make([]int, beating)
	var all sync.WaitGroup
	for i := range beating {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range work {
				if leases[n%len(leases)].beat() != nil {
					failures[i]++
				} else if due(n).After(from) {
					lists[i] = append(lists[i], us(time.Since(due(n))))
				}
			}
		}()
	}
	for n := 0; due(n).Before(from.Add(*seconds)); n++ {
		time.Sleep(time.Until(due(n)))
		work <- n
	}
	close(work)
	all.Wait()
	found := summary(slices.Concat(lists...), 1, time.Since(from))
	used(found)
	found["made_ms"] = ms(made)
	for _, n := range failures {
		found["failures"] += float64(n)
	}
	return found, nil
}

func leaseSession(address string, _ int) (lease, error) {
	c, err := dialSession(address, 0)
	if err != nil {
		return nil, err
	}
	return c.(*session), nil
}

// A Redis lease is a key that ends by itself.
type redisLease struct {
	*redis
	key string
}

func leaseRedis(address string, i int) (lease, error) {
	c, err := dialRedis(address, 0)
	if err != nil {
		return nil, err
	}
	l := &redisLease{c.(*redis), fmt.Sprintf("session%d", i)}
	if err := l.write(appendCommand(nil, "SET", l.key, "1", "PX", fmt.Sprint(leaseLimit.Milliseconds()))); err != nil {
		return nil, err
	}
	_, err = l.reply('+')
	return l, err
}

func (l *redisLease) beat() error {
	if err := l.write(appendCommand(l.out[:0], "PEXPIRE", l.key, fmt.Sprint(leaseLimit.Milliseconds()))); err != nil {
		return err
	}
	there, err := l.reply(':')
	if err == nil && there != 1 {
		return errors.New("the key has ended")
	}
	return err
}

type etcdLease struct {
	*etcd
	id clientv3.LeaseID
}

func leaseEtcd(address string, _ int) (lease, error) {
	c, err := dialEtcd(address, 0)
	if err != nil {
		return nil, err
	}
	granted, err := c.(*etcd).Grant(context.Background(), int64(leaseLimit.Seconds()))
	if err != nil {
		return nil, err
	}
	return &etcdLease{c.(*etcd), granted.ID}, nil
}

func (l *etcdLease) beat() error {
	_, err := l.KeepAliveOnce(context.Background(), l.id)
	return err
}
