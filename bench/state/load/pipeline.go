package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// pipeline keeps so many requests under way on one connection. The times are those of each request.
func pipeline(t target, what string) (figures, error) {
	conns, err := t.connect(1)
	if err != nil {
		return nil, err
	}
	c := conns[0]
	if what != "set" {
		if err := t.fill(c, 0, *keys, value); err != nil {
			return nil, err
		}
	}
	if p, ok := c.(piped); ok {
		return pipelineOf(t, p, what)
	}
	// One client, and thus one connection, which many use at once.
	shared := make([]conn, *depth)
	for i := range shared {
		shared[i] = c
	}
	return closedLoopOn(t, shared, what)
}

// A sent group left at once, in one write.
type sent struct {
	at time.Time
	n  int
}

// pipelineOf sends as many as there is room for in one write, but no more than half of what may be under way: answers
// of one half come while the other one is under way.
func pipelineOf(t target, c piped, what string) (figures, error) {
	from := time.Now().Add(*warmUp)
	until := from.Add(*seconds)
	used := cpuBetween(t.pids, from)
	room := make(chan struct{}, *depth)
	groups := make(chan sent, *depth)
	var latencies []float64
	var received error
	broken := make(chan struct{})
	var reader sync.WaitGroup
	reader.Add(1)
	go func() {
		defer reader.Done()
		for group := range groups {
			received = c.answers(what, group.n, func() {
				if group.at.After(from) {
					latencies = append(latencies, us(time.Since(group.at)))
				}
				<-room
			})
			if received != nil {
				close(broken)
				return
			}
		}
	}()
	var failed error
	for next := 0; failed == nil && time.Now().Before(until); {
		select {
		case room <- struct{}{}:
		case <-broken:
			failed = fmt.Errorf("nothing comes any more")
			continue
		}
		n := 1
		for full := false; !full && n < (*depth+1)/2; {
			select {
			case room <- struct{}{}:
				n++
			default:
				full = true
			}
		}
		groups <- sent{time.Now(), n}
		failed = c.requests(what, next%*keys, n)
		next += n
	}
	close(groups)
	if failed != nil {
		c.close()
	}
	reader.Wait()
	found := summary(latencies, 1, time.Since(from))
	used(found)
	return found, errors.Join(received, failed)
}
