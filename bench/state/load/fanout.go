package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	watched = "watched"
	channel = "news"
	// So long everybody may take to hear of something.
	hearing = 5 * time.Second
)

// A publisher sends n messages at once, and returns once all are answered.
type publisher interface {
	publish(n int) error
}

// A counter counts what all have heard, and tells when that is as much as is expected.
type counter struct {
	heard, expected atomic.Int64
	all             chan struct{}
}

func (c *counter) add(n int) {
	now := c.heard.Add(int64(n))
	if want := c.expected.Load(); now >= want && now-int64(n) < want {
		select {
		case c.all <- struct{}{}:
		default:
		}
	}
}

// expect has to come before what is to be heard.
func (c *counter) expect(more int) {
	select {
	case <-c.all:
	default:
	}
	c.expected.Add(int64(more))
}

// await tells how many are missing in the end, and no longer expects them. It fails with what nobody expected.
func (c *counter) await() (missing float64, err error) {
	limit := time.NewTimer(hearing)
	defer limit.Stop()
	for c.heard.Load() < c.expected.Load() {
		select {
		case <-c.all:
		case <-limit.C:
			heard := c.heard.Load()
			return float64(c.expected.Swap(heard) - heard), nil
		}
	}
	if more := c.heard.Load() - c.expected.Load(); more > 0 {
		return 0, fmt.Errorf("%d heard too often", more)
	}
	return 0, nil
}

// watch sets one key, again and again, each time until all who watch it have heard of it. All are at the leader.
func watch(t target) (figures, error) {
	who, err := t.leader()
	if err != nil {
		return nil, err
	}
	c, err := t.dial(t.addresses[who], len(t.addresses)-1)
	if err != nil {
		return nil, err
	}
	if err := c.set(watched, value); err != nil {
		return nil, err
	}
	count := &counter{all: make(chan struct{}, 1)}
	for range *listeners {
		if err := t.watch(t.addresses[who], watched, count.add); err != nil {
			return nil, err
		}
	}
	return oneByOne(count, func() error { return c.set(watched, value) })
}

// oneByOne lets something happen, waits until everybody has heard of it, and goes on.
func oneByOne(count *counter, do func() error) (figures, error) {
	from := time.Now().Add(*warmUp)
	until := from.Add(*seconds)
	var latencies []float64
	lost := 0.0
	for {
		began := time.Now()
		if began.After(until) {
			break
		}
		count.expect(*listeners)
		if err := do(); err != nil {
			return nil, err
		}
		missing, err := count.await()
		if err != nil {
			return nil, err
		}
		lost += missing
		if began.After(from) {
			latencies = append(latencies, us(time.Since(began)))
		}
	}
	if len(latencies) == 0 {
		return nil, errors.New("nobody heard anything in time")
	}
	found := summary(latencies, 1, time.Since(from))
	found["missing"] = lost
	return found, nil
}

// publish lets the leader's agent tell one message at a time, for half of the time, and then many at once, again and
// again. Those who listen are shared out among all servers, the one after the leader's first.
func publish(t target) (figures, error) {
	who, err := t.leader()
	if err != nil {
		return nil, err
	}
	c, err := t.dial(t.addresses[who], 0)
	if err != nil {
		return nil, err
	}
	p := c.(publisher)
	count := &counter{all: make(chan struct{}, 1)}
	for i := range *listeners {
		at := t.addresses[(who+1+i)%len(t.addresses)]
		if err := t.subscribe(at, channel, count.add); err != nil {
			return nil, err
		}
	}
	// Servers tell each other who listens where.
	if err := eventually(10*time.Second, func() error {
		before := count.heard.Load()
		if err := p.publish(1); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
		if heard := int(count.heard.Load() - before); heard != *listeners {
			return fmt.Errorf("%d of %d hear", heard, *listeners)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	count.expected.Store(count.heard.Load())
	found, err := oneByOne(count, func() error { return p.publish(1) })
	if err != nil {
		return nil, err
	}
	from := time.Now()
	used := cpuBetween(t.pids, from)
	before := count.heard.Load()
	for time.Since(from) < *seconds {
		count.expect(*burst * *listeners)
		if err := p.publish(*burst); err != nil {
			return nil, err
		}
		missing, err := count.await()
		if err != nil {
			return nil, err
		}
		found["missing"] += missing
	}
	heard := float64(count.heard.Load() - before)
	found["ops"] = heard
	found["heard_s"] = heard / time.Since(from).Seconds()
	used(found)
	return found, nil
}

// countOf asks one thing on a connection of its own, and once that is answered counts in what comes how often `mark`
// is in it. The connection stays until the program ends.
func countOf(address string, request []byte, answered func(first []byte) bool, mark string, heard func(n int)) error {
	c, err := net.DialTimeout("tcp", address, dialLimit)
	if err != nil {
		return err
	}
	if _, err := c.Write(request); err != nil {
		return err
	}
	buffer := make([]byte, 16<<10)
	c.SetReadDeadline(time.Now().Add(hearing))
	kept := 0
	for !answered(buffer[:kept]) {
		n, err := c.Read(buffer[kept:])
		if err != nil {
			return fmt.Errorf("%q, then %w", buffer[:kept], err)
		}
		kept += n
	}
	c.SetReadDeadline(time.Time{})
	go func() {
		sought := []byte(mark)
		for {
			if n := bytes.Count(buffer[:kept], sought); n > 0 {
				heard(n)
			}
			// A mark may be cut, but none is counted twice.
			rest := min(kept, len(sought)-1)
			copy(buffer, buffer[kept-rest:kept])
			n, err := io.ReadAtLeast(c, buffer[rest:], 1)
			if err != nil {
				return
			}
			kept = rest + n
		}
	}()
	return nil
}
